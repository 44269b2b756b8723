"""The card in Datasette, which nobody here wrote: on the page of a row, by a plug-in of a dozen lines."""

from __future__ import annotations

import re
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from pilotage.govern import flow as governing
from pilotage.govern.records import SYSTEM, Grant, Role
from pilotage.platform.settings import Settings
from pilotage.platform.workspace import Workspace, open_workspace
from pilotage.review import flow as reviewing
from pilotage.web.embedding import integrity, version
from tests.browser import launch
from tests.embed.hosting import serving
from tests.recipes.environments import RECIPES, ROOT, changed_lines, environment, fenced, free_port, running
from tests.review import arranging
from tests.review.arranging import NAME, recorded
from tests.review.serving import console

pytestmark = [pytest.mark.browser, pytest.mark.long]
RECIPE = RECIPES / "datasette"
HOW_TO = ROOT / "docs" / "how-to" / "put-the-card-into-datasette.md"


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Workspace, Page, str]]:
    """Datasette over a table of flights, with the recipe's diff, and somebody who is logged in there."""
    python = environment("datasette", "datasette==0.65.5")
    folder = tmp_path_factory.mktemp("datasette")
    with sqlite3.connect(folder / "dispatch.db") as database:
        database.execute("CREATE TABLE flights (flight_id TEXT PRIMARY KEY, carrier TEXT)")
        database.execute("INSERT INTO flights VALUES ('UA1545-2013-12-05', 'UA'), ('UA7-2013-12-05', 'UA')")
    work = open_workspace(Settings(home=folder / "home"))
    arranging.adopt(work)
    arranging.go_live(work)
    made = governing.principal_of_key(work, governing.make_key(work, SYSTEM, "desk", (Grant(Role.APP, NAME),)))
    assert made is not None
    with serving(console(work)) as server, launch() as browser:
        diff = (RECIPE / "card.diff").read_text()
        diff = diff.replace("https://pilotage.example", server)
        diff = diff.replace("?v=…", f"?v={version()}").replace("sha384-…", integrity())
        subprocess.run(["git", "apply", "-p1"], cwd=folder, input=diff, text=True, check=True)
        port = free_port()
        said = ["--plugins-dir", "plugins", "--template-dir", "templates", "--port", str(port), "--root"]
        given = {"PILOTAGE_CARD_SECRET": governing.card_secret(work, made.id), "PYTHONUNBUFFERED": "1"}
        address = f"http://127.0.0.1:{port}"
        with running(python, folder, given, address, "-m", "datasette", "serve", "dispatch.db", *said):
            page = browser.new_page()
            page.goto(_log_in(folder / "app.log"))
            yield work, page, address
    work.close()


def _log_in(log: Path) -> str:
    found = re.search(r"http://\S+/-/auth-token\?token=\w+", log.read_text())
    assert found
    return found[0]


def test_the_recipe_is_short_and_stands_in_the_how_to() -> None:
    diff = (RECIPE / "card.diff").read_text()

    assert changed_lines(diff) < 30
    assert fenced(HOW_TO, "diff") == diff
    assert max(len(line) for line in diff.splitlines()) <= 120
    assert "script>" not in re.sub(r"<script[^>]* src=[^>]*></script>", "", diff)


def test_a_rows_page_shows_the_card_and_takes_what_its_reader_says(shown: tuple[Workspace, Page, str]) -> None:
    work, page, address = shown
    decision = recorded(work)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.goto(f"{address}/dispatch/flights/{decision.entity}")
    card = page.locator("pilotage-card")

    expect(card).to_contain_text("In about 7 in 10 cases like this it arrives more than 30 minutes late.")
    card.get_by_role("button", name="Useful").click()
    expect(card.get_by_role("status")).to_have_text("Thank you: noted as useful.")
    (said,) = [each for each in reviewing.feedback_on(work, decision.id) if each.kind == "useful"]
    assert said.person == "root"
    assert complaints == []


def test_a_row_of_which_nothing_was_asked_has_a_page_as_before(shown: tuple[Workspace, Page, str]) -> None:
    _, page, address = shown
    page.goto(f"{address}/dispatch/flights/UA7-2013-12-05")
    page.wait_for_load_state("networkidle")

    expect(page.get_by_role("heading")).to_contain_text("UA7-2013-12-05")
    assert page.locator("pilotage-card").evaluate("card => card.getClientRects().length") == 0


def test_who_is_not_logged_in_gets_no_token(shown: tuple[Workspace, Page, str]) -> None:
    _, _, address = shown
    reply = httpx.get(f"{address}/-/card-token", params={"flight": "UA1545-2013-12-05"})

    assert reply.status_code == 403
    assert "eyJ" not in reply.text
