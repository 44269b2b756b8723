"""The pages, as a browser and a demo's driver meet them."""

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from dispatch.advance import advance
from dispatch.clock import set_clock
from dispatch.office import Office, open_office
from dispatch.tables import alerts, flights, rebookings
from dispatch.web import create_application

from .conftest import START, settings_in

OWN = {"origin": "http://testserver"}


@pytest.fixture(scope="module")
def home_at_noon(loaded_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("noon") / "home"
    shutil.copytree(loaded_home, home)
    office = open_office(settings_in(home))
    advance(office, START + timedelta(hours=12))
    office.engine.dispose()
    return home


@pytest.fixture
def office_at_noon(home_at_noon: Path, tmp_path: Path) -> Office:
    shutil.copytree(home_at_noon, tmp_path / "noon")
    return open_office(settings_in(tmp_path / "noon"))


@pytest.fixture
def client(office_at_noon: Office) -> Iterator[TestClient]:
    with TestClient(create_application(office_at_noon), client=("127.0.0.1", 50000)) as client:
        yield client


@pytest.fixture
def alerted(office_at_noon: Office) -> str:
    query = (
        select(alerts.c.flight_id)
        .join(flights, flights.c.flight_id == alerts.c.flight_id)
        .where(alerts.c.rebook, flights.c.scheduled_departure > START + timedelta(hours=12))
    )
    with office_at_noon.engine.connect() as connection:
        return str(connection.execute(query.limit(1)).scalar_one())


def rebooked(office: Office) -> list[tuple[str, str, str]]:
    with office.engine.connect() as connection:
        return [(row.flight_id, row.planner, row.note) for row in connection.execute(select(rebookings))]


def test_the_board_shows_what_is_to_rebook(client: TestClient, alerted: str) -> None:
    board = client.get("/?show=rebook")
    assert board.status_code == 200
    assert f"/flights/{alerted}" in board.text
    assert "Prepare rebooking" in board.text
    assert "default-src 'self'" in board.headers["content-security-policy"]
    assert "<script" not in board.text and "style=" not in board.text


def test_the_board_of_one_airport_has_only_its_flights(client: TestClient) -> None:
    board = client.get("/?origin=JFK").text
    assert "-JFK" in board
    assert "-EWR" not in board and "-LGA" not in board


@pytest.mark.parametrize("query", ["page=0", "page=99999", "page=x", "page=-1", "page=²", "origin=XXX"])
def test_an_odd_address_still_shows_a_board(client: TestClient, query: str) -> None:
    assert client.get(f"/?{query}").status_code == 200


def test_an_empty_board_says_so(office: Office) -> None:
    with TestClient(create_application(office)) as client:
        assert "Nothing to rebook" in client.get("/?origin=LGA&show=rebook").text
        with office.engine.begin() as connection:
            set_clock(connection, START + timedelta(days=30))
        assert "No departures" in client.get("/?origin=LGA").text


def test_the_flight_page_says_why(client: TestClient, alerted: str, office_at_noon: Office) -> None:
    with office_at_noon.engine.connect() as connection:
        reason = connection.execute(select(alerts.c.reason).where(alerts.c.flight_id == alerted)).scalar_one()
    page = client.get(f"/flights/{alerted}")
    assert page.status_code == 200
    assert reason in page.text
    assert "Schedule published" in page.text


def test_a_planner_prepares_a_rebooking(client: TestClient, alerted: str, office_at_noon: Office) -> None:
    form = {"planner": " Maria <b>Lindqvist</b> ", "note": "Two moved"}
    answer = client.post(f"/flights/{alerted}/rebookings", data=form, headers=OWN, follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"].endswith(f"/flights/{alerted}")
    assert rebooked(office_at_noon) == [(alerted, "Maria <b>Lindqvist</b>", "Two moved")]
    assert "Rebooking prepared by Maria &lt;b&gt;Lindqvist" in client.get(f"/flights/{alerted}").text


@pytest.mark.parametrize(
    "headers", [{"origin": "http://elsewhere.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}]
)
def test_a_form_from_another_site_is_refused(
    client: TestClient, alerted: str, office_at_noon: Office, headers: dict[str, str]
) -> None:
    answer = client.post(f"/flights/{alerted}/rebookings", data={"planner": "Eve"}, headers=headers)
    assert answer.status_code == 403
    assert client.post("/clock/advance", data={"hours": "1"}, headers=headers).status_code == 403
    assert rebooked(office_at_noon) == []


def test_a_rebooking_without_a_planner_is_explained(client: TestClient, alerted: str, office_at_noon: Office) -> None:
    answer = client.post(f"/flights/{alerted}/rebookings", data={"planner": " "}, headers=OWN)
    assert answer.status_code == 422
    assert "Please give the planner" in answer.text
    assert rebooked(office_at_noon) == []


def test_what_is_not_there_has_a_page(client: TestClient, office_at_noon: Office) -> None:
    for answer in (
        client.get("/flights/20130120-UA1545-EWR"),
        client.get("/nowhere"),
        client.post("/flights/none/rebookings", data={"planner": "Maria"}, headers=OWN),
    ):
        assert answer.status_code == 404
        assert "Nothing at this gate" in answer.text
    assert rebooked(office_at_noon) == []


@pytest.mark.parametrize("body", [{"data": {"hours": "0.5"}}, {"json": {"hours": 0.5}}])
def test_a_driver_moves_the_clock(client: TestClient, body: dict[str, dict[str, float]]) -> None:
    assert client.post("/clock/advance", **body).json() == {"now": "2013-01-04T17:30:00"}
    assert client.get("/healthz").json() == {"status": "open", "now": "2013-01-04T17:30:00"}


@pytest.mark.parametrize("hours", ["0", "-1", "nan", "inf", "9999", "soon", ""])
def test_a_driver_that_asks_nonsense_is_told(client: TestClient, hours: str) -> None:
    assert client.post("/clock/advance", data={"hours": hours}).status_code == 400
    assert client.post("/clock/advance", json=[hours]).status_code == 400


def test_only_this_machine_moves_the_clock(office: Office) -> None:
    with TestClient(create_application(office), client=("192.0.2.7", 50000)) as client:
        assert client.post("/clock/advance", data={"hours": "1"}).status_code == 403


def test_a_flights_page_goes_on_without_the_card_while_pilotage_is_away(
    client: TestClient, alerted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISPATCH_PILOTAGE_URL", "http://127.0.0.1:9")
    page = client.get(f"/flights/{alerted}")
    assert page.status_code == 200
    assert "pilotage-card" not in page.text
