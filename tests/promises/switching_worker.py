"""A worker process for the test of the switch: asks its own service all the time and says when what answers changes.

Arguments: the use case's name, and a file for lines of an instant (seconds since 1970), a reason code and a version;
logs go to the output, from several threads. Settings come from the environment.
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

from pilotage.data.live import LiveColumns
from pilotage.decisions.answering.service import Service
from pilotage.decisions.answering.serving import open_serving
from pilotage.govern.records import Grant, Principal, Role
from pilotage.platform.settings import read_settings
from pilotage.platform.workspace import open_workspace
from pilotage.usecase import flow as defining
from tests.decisions.test_service import BODY

PAUSE_SECONDS = 0.005


async def tell_changes(service: Service, name: str, said: Path) -> None:
    app, last = Principal("key_1", "app", "key", (Grant(Role.APP, name),)), ""
    while True:
        serving = service.serving(name, app)
        answer = await service.answer(name, BODY, app, serving=serving)
        told = f"{answer.reason} {serving.live.version}"
        if told != last:
            with said.open("a") as file:
                file.write(f"{time.time()} {told}\n")
            last = told
        await asyncio.sleep(PAUSE_SECONDS)


def main(name: str, said: Path) -> None:
    work = open_workspace(read_settings())
    service = Service(work)
    definition = defining.find_adopted(work, name)
    service.following.servings = {name: open_serving(work, definition, LiveColumns(definition, [], {}, None))}
    service.following.look_at_switches()
    for each in service._repeating:
        each.start()
    asyncio.run(tell_changes(service, name, said))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
