"""The card in django-helpdesk, which nobody here wrote: installed from PyPI, changed by the recipe's diff, clicked."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pytest
from playwright.sync_api import Page, expect

from pilotage.app import Application
from pilotage.data import flow as data
from pilotage.decisions import flow as deciding
from pilotage.govern import flow as governing
from pilotage.govern.records import SYSTEM, Grant, Role
from pilotage.models import flow as modelling
from pilotage.platform.settings import Settings
from pilotage.platform.workspace import Workspace, open_workspace
from pilotage.releases import flow as releasing
from pilotage.releases.records import Stage
from pilotage.review import flow as reviewing
from pilotage.rollout import flow as rollout
from pilotage.usecase import flow as defining
from pilotage.web.embedding import integrity, version
from tests.browser import launch
from tests.embed.hosting import serving
from tests.real_data import real_data
from tests.recipes.environments import (
    RECIPES,
    ROOT,
    changed_lines,
    environment,
    fenced,
    free_port,
    running,
    surroundings,
)

pytestmark = [pytest.mark.browser, pytest.mark.long]
NAME = "ticket_routing"
RECIPE = RECIPES / "django-helpdesk"
PAGE = ROOT / "docs" / "how-to" / "put-the-card-into-django-helpdesk.md"
QUEUES = {"rec.sport.hockey": 2, "sci.space": 3, "comp.windows.x": 4}
FILL = """
import json
from datetime import timedelta
from django.contrib.auth import get_user_model
from django.utils import timezone
from helpdesk.models import Queue, Ticket
for slug in ("inbox", "hockey", "space", "windows"):
    Queue.objects.create(title=slug.title(), slug=slug)
get_user_model().objects.create_superuser("anna", "anna@helpdesk.example", "a long password")
written = timezone.now() - timedelta(days=120)
rows = json.load(open("tickets.json"))
Ticket.objects.bulk_create(Ticket(title=text[:60], description=text, queue_id=queue) for text, queue in rows)
for number, ticket in enumerate(Ticket.objects.order_by("id")):
    at = written + timedelta(hours=8 * number)
    Ticket.objects.filter(id=ticket.id).update(created=at, modified=at + timedelta(hours=20), status=3)
"""


@dataclasses.dataclass
class Desk:
    """A help desk that runs with the card, and the installation that it asks."""

    work: Workspace
    folder: Path
    address: str
    page: Page
    unseen: dict[int, str]

    def ticket(self, number: int) -> dict[str, Any]:
        """A row of the help desk's own table."""
        with sqlite3.connect(self.folder / "helpdesk.db") as database:
            database.row_factory = sqlite3.Row
            return dict(database.execute("SELECT * FROM helpdesk_ticket WHERE id = ?", [number]).fetchone())


def manage(folder: Path, python: Path, *arguments: str, said: str | None = None, **given: str) -> None:
    done = subprocess.run(
        [str(python), "manage.py", *arguments],
        cwd=folder,
        env=surroundings({"DJANGO_SECRET_KEY": "of a test", **given}),
        input=said,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]


def posts() -> dict[str, list[str]]:
    """Of three groups a hundred and one posts each; the last one is kept from the help desk."""
    rows = duckdb.execute(
        f"""SELECT category, text FROM '{real_data("newsgroups")}' WHERE category IN {tuple(QUEUES)}
        AND length(text) > 200
        QUALIFY row_number() OVER (PARTITION BY category ORDER BY md5(text)) <= 101 ORDER BY md5(text)"""
    ).fetchall()
    return {group: [text for category, text in rows if category == group] for group in QUEUES}


def went_live(work: Workspace) -> None:
    """Trained on the help desk's own table and put into assist, as if the gates had passed."""
    definition = defining.adopt(work, defining.read_definition(RECIPE / f"{NAME}.yaml"), SYSTEM)
    data.sync(work, definition)
    data.build(work, definition)
    comparison = modelling.train_and_compare(work, definition, lambda said: None)
    version = releasing.make_version(work, definition, comparison, "linear", SYSTEM)
    rollout.release(work, definition, version, SYSTEM, "to see")
    releasing.set_stage(work, NAME, Stage.ASSIST, 1.0, SYSTEM, "to see")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """The stock project with the recipe's diff, three hundred solved tickets, and Pilotage trained on its table."""
    python = environment("django-helpdesk", "django-helpdesk==2.6.1")
    folder = tmp_path_factory.mktemp("helpdesk") / "project"
    shutil.copytree(RECIPE, folder)
    written = posts()
    rows = [(text, QUEUES[group]) for number in range(100) for group in QUEUES for text in [written[group][number]]]
    (folder / "tickets.json").write_text(json.dumps(rows))
    manage(folder, python, "migrate", "-v0")
    manage(folder, python, "shell", said=FILL)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HELPDESK_DATABASE", f"sqlite:///{folder / 'helpdesk.db'}")
        work = open_workspace(Settings(home=folder.parent / "home"))
        went_live(work)
        key = governing.make_key(work, SYSTEM, "helpdesk", (Grant(Role.APP, NAME),))
        made = governing.principal_of_key(work, key)
        assert made is not None
        with serving(Application(work), lifespan="on") as server, launch() as browser:  # type: ignore[arg-type]
            diff = (RECIPE / "card.diff").read_text()
            diff = diff.replace("https://pilotage.example", server)
            diff = diff.replace("?v=…", f"?v={version()}").replace("sha384-…", integrity())
            subprocess.run(["git", "apply", "-p1"], cwd=folder, input=diff, text=True, check=True)
            given = {"PILOTAGE_ADDRESS": server, "PILOTAGE_KEY": key, "DJANGO_SECRET_KEY": "of a test"}
            given["PILOTAGE_CARD_SECRET"] = governing.card_secret(work, made.id)
            place = f"127.0.0.1:{free_port()}"
            arguments = ("manage.py", "runserver", "--noreload", place)
            with running(python, folder, given, f"http://{place}/login/", *arguments):
                page = browser.new_context(viewport={"width": 1000, "height": 1100}).new_page()
                logged_in(page, f"http://{place}")
                unseen = {QUEUES[group]: texts[100] for group, texts in written.items()}
                yield Desk(work, folder, f"http://{place}", page, unseen)
        work.close()


def logged_in(page: Page, address: str) -> None:
    page.goto(f"{address}/login/")
    page.get_by_label("Username").fill("anna")
    page.get_by_label("Password").fill("a long password")
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/login/" not in url)


def submitted(desk: Desk, text: str) -> int:
    """Write a ticket through the help desk's own API; its number, once the answer about it is in the ledger."""
    said = {"queue": 1, "title": text[:60], "description": text, "priority": 3, "status": 1}
    token = next(each["value"] for each in desk.page.context.cookies() if each["name"] == "csrftoken")
    headers = {"X-CSRFToken": token, "Referer": desk.address}
    reply = desk.page.request.post(f"{desk.address}/api/tickets/", data=said, headers=headers)
    assert reply.status == 201, reply.text()
    number = int(reply.json()["id"])
    for _ in range(200):
        if deciding.newest_for(desk.work, NAME, str(number)) is not None:
            return number
        desk.page.wait_for_timeout(50)
    raise AssertionError("nothing was decided about the new ticket")


def said_of(desk: Desk, number: int, kind: str) -> list[tuple[str, str]]:
    """Who said this of the ticket's newest answer, and of which ticket; as soon as somebody did."""
    decided = deciding.newest_for(desk.work, NAME, str(number))
    assert decided is not None
    for _ in range(600):
        said = [each for each in reviewing.feedback_on(desk.work, decided.id) if each.kind == kind]
        if said:
            return [(each.person, each.entity) for each in said]
        desk.page.wait_for_timeout(50)
    raise AssertionError(f"nobody said {kind}")


def test_the_recipe_is_short_and_stands_in_the_how_to() -> None:
    diff = (RECIPE / "card.diff").read_text()

    assert changed_lines(diff) < 30
    assert fenced(PAGE, "diff") == diff
    assert max(len(line) for line in diff.splitlines()) <= 120
    assert "script>" not in re.sub(r"<script[^>]* src=[^>]*></script>", "", diff)


def test_a_new_ticket_shows_the_card_and_accepting_it_moves_the_ticket_through_the_help_desks_own_api(
    desk: Desk,
) -> None:
    number = submitted(desk, desk.unseen[2])
    decided = deciding.newest_for(desk.work, NAME, str(number))
    assert decided is not None
    assert (decided.produced_by, decided.answer) == ("model", "2")
    complaints: list[str] = []
    desk.page.on("pageerror", lambda error: complaints.append(str(error)))
    desk.page.goto(f"{desk.address}/tickets/{number}/")
    card = desk.page.locator("pilotage-card")

    expect(card).to_contain_text("Which queue a ticket belongs to")
    with desk.page.expect_response(lambda reply: f"/api/tickets/{number}/" in reply.url) as moved:
        card.get_by_role("button", name="Move to Hockey").click()
    assert moved.value.status == 200
    desk.page.wait_for_load_state()
    assert desk.ticket(number)["queue_id"] == 2
    assert said_of(desk, number, "accept") == [("anna", str(number))]
    expect(desk.page).to_have_title(re.compile(rf"hockey-{number}: "))
    assert complaints == []


def test_what_is_said_on_the_card_is_said_of_this_ticket_by_who_is_logged_in(desk: Desk) -> None:
    number = submitted(desk, desk.unseen[3])
    desk.page.goto(f"{desk.address}/tickets/{number}/")
    card = desk.page.locator("pilotage-card")
    card.get_by_role("button", name="Wrong").click()
    expect(card.get_by_role("status")).to_have_text("Thank you: noted as wrong.")

    assert said_of(desk, number, "wrong") == [("anna", str(number))]


def test_a_ticket_that_could_not_be_moved_is_said_to_be_so(desk: Desk) -> None:
    number = submitted(desk, desk.unseen[4])
    desk.page.goto(f"{desk.address}/tickets/{number}/")
    told: list[str] = []
    desk.page.once("dialog", lambda dialog: (told.append(dialog.message), dialog.accept()))
    desk.page.route(f"**/api/tickets/{number}/", lambda route: route.fulfill(status=403))
    with desk.page.expect_event("dialog"):
        desk.page.locator("pilotage-card .action button").click()

    assert told == ["The ticket was not moved. Please try again."]
    assert desk.ticket(number)["queue_id"] == 1
    desk.page.unroute(f"**/api/tickets/{number}/")


def test_who_is_not_logged_in_gets_no_token(desk: Desk) -> None:
    reply = httpx.get(f"{desk.address}/tickets/1/card-token/", follow_redirects=False)

    assert reply.status_code == 302
    assert "eyJ" not in reply.text


def test_the_help_desk_goes_on_when_pilotage_shows_nothing(desk: Desk) -> None:
    number = submitted(desk, desk.unseen[4])
    releasing.set_stage(desk.work, NAME, Stage.SHADOW, 1.0, SYSTEM, "to see")
    try:
        desk.page.goto(f"{desk.address}/tickets/{number}/")
        desk.page.wait_for_load_state("networkidle")
        assert desk.page.locator("pilotage-card").evaluate("card => card.getClientRects().length") == 0
        expect(desk.page.get_by_role("tab", name="Respond")).to_be_visible()
    finally:
        releasing.set_stage(desk.work, NAME, Stage.ASSIST, 1.0, SYSTEM, "to see")
