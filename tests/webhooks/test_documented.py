"""The documents are true: the receiver runs as it is printed, and the table lists every type."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import time
from pathlib import Path

from pilotage.govern.records import SYSTEM
from pilotage.platform.workspace import Workspace
from pilotage.webhooks import flow
from pilotage.webhooks.records import Attempt
from pilotage.webhooks.rules.events import FREQUENT, MEANINGS
from tests.webhooks.conftest import Deed, Registered
from tests.webhooks.receiving import Receiver

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_the_reference_says_of_every_type_what_the_code_says() -> None:
    text = (DOCS / "reference" / "webhooks.md").read_text()
    rows = re.findall(r"^\| `(pilotage\.[a-z_.]+)` \| (.+?) \| (.+?) \|", text, re.MULTILINE)
    assert [tuple(row) for row in rows] == [(kind.value, *said) for kind, said in MEANINGS.items()]
    assert all(f"`{kind}`" in text.split("By HTTP")[0].split("\n\n")[-2] for kind in FREQUENT)


def last_try(work: Workspace, endpoint: str, delivery: str, deliverer: flow.Deliverer) -> Attempt:
    deliverer.send(work, endpoint, delivery)
    return flow.delivery(work, delivery)[1][-1]


def test_the_receiver_of_the_how_to_takes_what_is_signed_once_and_refuses_the_rest(
    work: Workspace, tmp_path: Path, registered: Registered, receiver: Receiver, deed: Deed
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    [code] = re.findall(
        r"```python\n(.*?)```", (DOCS / "how-to" / "tell-other-systems-by-webhook.md").read_text(), re.S
    )
    (tmp_path / "receiver.py").write_text(code.replace("9000", str(port)))
    endpoint, secret = registered(f"http://127.0.0.1:{port}/hooks")
    stranger, _ = registered(f"http://127.0.0.1:{port}/hooks")
    command = [sys.executable, str(tmp_path / "receiver.py")]
    with subprocess.Popen(command, env={"WEBHOOK_SECRET": secret}, stdout=subprocess.PIPE, text=True) as running:
        try:
            give_up = time.monotonic() + 10
            while socket.socket().connect_ex(("127.0.0.1", port)) and time.monotonic() < give_up:
                time.sleep(0.02)
            deliverer = flow.Deliverer(seconds=5)
            made = flow.send_test(work, SYSTEM, endpoint.id)
            assert last_try(work, endpoint.id, made.id, deliverer).status == 204
            again = flow.replay(work, SYSTEM, endpoint.id, made.event)
            assert last_try(work, endpoint.id, again.id, deliverer).status == 204
            foreign = flow.send_test(work, SYSTEM, stranger.id)
            refused = last_try(work, stranger.id, foreign.id, deliverer)
            assert (refused.status, refused.answer) == (400, "No matching signature found")
            deliverer.close()
        finally:
            running.terminate()
        printed = running.stdout.read() if running.stdout else ""
    assert printed.splitlines() == [f"pilotage.webhook.test {endpoint.id} {{'webhook': '{endpoint.id}'}}"]
