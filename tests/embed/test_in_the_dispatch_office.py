"""The card on a flight's page of the dispatch office, under the office's own policy, in each of its five states."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect
from sqlalchemy import select

from dispatch.advance import advance
from dispatch.load import load
from dispatch.office import open_office
from dispatch.tables import alerts
from pilotage.platform.workspace import Workspace
from pilotage.web import embedding
from tests.embed.conftest import Visit
from tests.embed.hosting import Host
from tests.embed.test_accessible import STATES
from tests.examples.dispatch.conftest import JANUARY, START, archive, settings_in
from tests.recipes.environments import free_port, wait_for
from tests.review.arranging import recorded

pytestmark = pytest.mark.browser
__all__ = ["archive"]


@dataclasses.dataclass
class FlightOffice:
    """The office as it runs, and flights about which it has asked, each for one test."""

    address: str
    flights: Iterator[str]


@pytest.fixture(scope="module")
def office(
    running: tuple[Workspace, Host], archive: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[FlightOffice]:
    """The office of a morning in January, which asked its own rule so far, and knows where Pilotage is from now on."""
    _, host = running
    home = tmp_path_factory.mktemp("office")
    load(settings_in(home), JANUARY, archive, again=False, say=lambda line: None)
    opened = open_office(settings_in(home))
    advance(opened, START + timedelta(hours=4))
    with opened.engine.connect() as connection:
        flights = iter(connection.execute(select(alerts.c.flight_id).order_by(alerts.c.flight_id)).scalars().all())
    opened.engine.dispose()
    address = f"http://127.0.0.1:{(port := free_port())}"
    key = host.key["Authorization"].removeprefix("Bearer ")
    given = {"DISPATCH_HOME": str(home), "DISPATCH_PILOTAGE_URL": host.server, "DISPATCH_PILOTAGE_KEY": key}
    command = [sys.executable, "-m", "dispatch", "serve", "--port", str(port)]
    surroundings = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "examples" / "dispatch"), **given}
    with (home / "office.log").open("w") as log:
        program = subprocess.Popen(command, env=surroundings, stdout=log, stderr=subprocess.STDOUT)
    try:
        wait_for(program, f"{address}/healthz", home / "office.log")
        yield FlightOffice(address, flights)
    finally:
        program.terminate()
        program.wait(20)


def shown(visit: Visit, office: FlightOffice, state: str) -> tuple[str, Locator]:
    """A flight about which this was decided, and the card on its page."""
    flight = next(office.flights)
    recorded(visit.work, entity=flight, **STATES[state])
    visit.page.goto(f"{office.address}/flights/{flight}")
    return flight, visit.page.locator("pilotage-card")


@pytest.mark.parametrize(
    ("state", "chip", "sentence"),
    [
        ("answer", "Worth acting", "In about 7 in 10 cases like this it arrives more than 30 minutes late."),
        ("rule", "Today's rule", "The model did not answer in time, so today's rule answered."),
        ("uncertain", "Sent to a person", "A person is looking at this case."),
        ("missing", "Cannot say", "Cannot say: what is needed is missing."),
    ],
)
def test_each_state_has_its_face_on_the_flights_page(
    visit: Visit, office: FlightOffice, state: str, chip: str, sentence: str
) -> None:
    flight, card = shown(visit, office, state)

    expect(card.get_by_role("heading")).to_have_text(flight)
    expect(card.locator(".chip")).to_have_text(chip)
    expect(card).to_contain_text(sentence)
    assert visit.complaints == []


def test_in_shadow_the_flights_page_is_as_if_there_were_no_card(visit: Visit, office: FlightOffice) -> None:
    _, card = shown(visit, office, "nothing")
    visit.page.wait_for_load_state("networkidle")

    assert [url for url in visit.requests if url.endswith("/v1/card")]
    assert card.evaluate("card => card.getClientRects().length") == 0
    expect(visit.page.get_by_role("heading", name="Rebooking advice")).to_be_visible()
    assert visit.complaints == []


def test_the_office_loads_the_card_by_version_and_integrity(visit: Visit, office: FlightOffice) -> None:
    _, card = shown(visit, office, "answer")
    expect(card.get_by_role("heading")).to_be_visible()
    script = visit.page.locator("script[type=module]")

    assert script.get_attribute("integrity") == embedding.integrity()
    assert script.get_attribute("src") == f"{visit.host.server}{embedding.PATH}?v={embedding.version()}"
