"""A worker process for the test of the switch: asks its own service all the time and says when the reason changes.

Arguments: the use case's name, and a file for lines of an instant (seconds since 1970) and a reason code; logs go to
the output, from several threads. Settings come from the environment.
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

from pilotage.data.live import LiveColumns
from pilotage.decisions.service import Service
from pilotage.decisions.serving import open_serving
from pilotage.govern.records import Grant, Principal, Role
from pilotage.platform.settings import read_settings
from pilotage.platform.workspace import open_workspace
from pilotage.usecase import flow as defining
from tests.decisions.test_service import BODY

PAUSE_SECONDS = 0.005


async def tell_changes(service: Service, name: str, said: Path) -> None:
    app, last = Principal("key_1", "app", "key", (Grant(Role.APP, name),)), ""
    while True:
        reason = (await service.answer(name, BODY, app)).reason
        if reason != last:
            with said.open("a") as file:
                file.write(f"{time.time()} {reason}\n")
            last = reason
        await asyncio.sleep(PAUSE_SECONDS)


def main(name: str, said: Path) -> None:
    work = open_workspace(read_settings())
    service = Service(work)
    definition = defining.find_adopted(work, name)
    service.following.servings = {name: open_serving(work, definition, LiveColumns(definition, [], {}, None))}
    service.following.look_at_switches()
    service._repeating.start()
    asyncio.run(tell_changes(service, name, said))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
