"""What is at stake in a case, in the money of the file: it moves cases, within bounds, and is shown where it may be."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from pilotage.govern.cookies import SESSION
from pilotage.govern.records import SYSTEM
from pilotage.platform.clock import FixedClock
from pilotage.platform.workspace import Workspace
from pilotage.review import flow
from pilotage.review.rules import viewing
from pilotage.review.rules.ordering import AMOUNT_HOURS_MAX, rank, usual
from pilotage.review.rules.picking import amount, picker
from pilotage.usecase import flow as defining
from pilotage.usecase.records import CaseReason, Value
from tests.review.arranging import FILE, NAME, a_decision, go_live, recorded, reviewer
from tests.review.serving import console, session
from tests.review.test_cases_api import key
from tests.review.test_intake import adopted

AT = datetime(2013, 12, 5, 20, tzinfo=UTC)
FARES = "  at_stake: distance_miles / 10\n"
HOUR = 3600.0
QUEUE = f"/use-cases/{NAME}/queue"


@pytest.fixture
def live(work: Workspace) -> Workspace:
    """In assist; a tenth of a flight's miles is at stake, in dollars. By the value of the file 180 are usual."""
    adopted(work, FARES)
    go_live(work)
    return work


@pytest.fixture
def client(live: Workspace) -> Iterator[TestClient[Litestar]]:
    """Anna's browser, which has a key's headers for the API, too."""
    with TestClient(console(live), raise_server_exceptions=False) as client:
        client.cookies.set(SESSION, session(live, "anna"))
        yield client


def flight(work: Workspace, entity: str, miles: object, **changes: Any) -> str:
    """A flight that waits for a person, and its decision's identifier."""
    return recorded(work, entity=entity, inputs={"distance_miles": miles}, **{"review": True, **changes}).id


def starts(times: float | None, why: CaseReason = "uncertain", blind: bool = False, probability: float = 0.68) -> float:
    """Where a case of midnight stands that has so often the usual amount at stake."""
    return rank(a_decision(AT, probability=probability), why, blind, 0.0, times)


def listed(work: Workspace) -> list[str]:
    return [case.entity for case in flow.queue(work, NAME)]


@pytest.mark.parametrize("times", [0.01, 1.0, 300.0])
def test_twice_as_much_at_stake_goes_an_hour_of_waiting_earlier(times: float) -> None:
    assert starts(2 * times) == pytest.approx(starts(times) - HOUR)


def test_what_nobody_knows_counts_as_usual_and_an_amount_in_place_of_high_value() -> None:
    assert starts(None) == starts(1.0)
    assert starts(3.0, "high_value") == starts(3.0) < starts(3.0) + HOUR < starts(None)
    assert starts(3.0, "high_risk") == pytest.approx(starts(3.0) - 3 * HOUR)


@pytest.mark.parametrize("times", [0.0, 5e-324, 1e308, math.inf])
def test_no_amount_moves_a_case_by_more_than_half_a_day(times: float) -> None:
    assert abs(starts(times) - starts(1.0)) == pytest.approx(AMOUNT_HOURS_MAX * HOUR)


def test_of_a_blind_case_the_amount_moves_it_and_nothing_of_the_model() -> None:
    assert starts(4.0, "blind", True, 0.99) == starts(4.0, "blind", True, 0.5)
    assert starts(4.0, "blind", True) == pytest.approx(starts(2.0, "blind", True) - HOUR)


@pytest.mark.parametrize(
    ("miles", "found"),
    [
        *((1400.0, 1400.0), (1e300, 1e300), (0, 0.0)),
        *((each, None) for each in (None, math.nan, math.inf, -10.0, "12", True, AT, 10**400)),
    ],
)
def test_an_amount_is_a_finite_number_from_zero_on(miles: object, found: float | None) -> None:
    by = picker(defining.parse_definition(f"{FILE}  at_stake: distance_miles\n", "late_arrival.yaml"))

    assert amount({"distance_miles": miles}, by) == found
    assert amount({}, by) is None


def test_the_dearer_mistake_is_usual() -> None:
    assert usual(Value(currency="USD", caught=180, false_alarm=-60)) == 180
    assert usual(Value(currency="EUR", false_alarm=-300, missed=-1500)) == 1500
    assert usual(Value(currency="EUR", right=0.5, wrong=-1)) == 1.5
    assert usual(Value(currency="EUR", too_low=-2, too_high=-1)) == 2
    assert usual(Value(currency="EUR", caught=-5)) == 1


def test_money_is_short_enough_to_be_read() -> None:
    assert [viewing.money(each, "USD") for each in (0.4, 1400.0, 1e299)] == ["0.40 USD", "1,400 USD", "1.00e+299 USD"]


@pytest.mark.both_stores
def test_the_queue_begins_with_what_costs_most_to_get_wrong(live: Workspace, clock: FixedClock) -> None:
    for entity, miles in (("none", 0), ("cheap", 900.0), ("unknown", None), ("refund", -9e9), ("dear", 3_600.0)):
        flight(live, entity, miles)
    flight(live, "huge", 1e300)

    assert listed(live) == ["huge", "dear", *sorted(["unknown", "refund"], key=listed(live).index), "cheap", "none"]
    first = flow.lease_next(live, NAME, reviewer("anna"))
    assert first is not None and first.entity == "huge"

    clock.advance(timedelta(hours=2, minutes=1))  # dear has four times as much at stake as cheap
    flight(live, "dear again", 3_600.0)
    assert listed(live).index("cheap") < listed(live).index("dear again")


@pytest.mark.both_stores
def test_amounts_stand_on_pages_and_in_the_api_of_cases_blind_ones_too(
    client: TestClient[Litestar], live: Workspace
) -> None:
    adopted(live, f"{FARES}  samples: {{blind: 1}}\n")
    decision = flight(live, "UA1", 24_680.0)
    flight(live, "UA2", None)

    page, listing = client.get(QUEUE).text, client.get(f"/v1/use-cases/{NAME}/cases", headers=key(live)).json()
    case = client.get(re.search(r"/queue/cases/case_\w+", page)[0]).text  # type: ignore[index]
    view = client.get(f"/v1/cases/{listing['cases'][0]['id']}", headers=key(live)).json()

    said = "What is at stake (distance_miles / 10, in USD), how unsure the model was and how long a case has waited"
    assert said in page and said in listing["order"]
    assert 'data-label="At stake">2,468 USD<' in page and 'data-label="At stake">—<' in page
    assert "At stake: <strong>2,468 USD</strong>." in case
    assert [(each["entity"], each["at_stake"]) for each in listing["cases"]] == [("UA1", 2468.0), ("UA2", None)]
    assert (view["at_stake"], view["currency"], listing["currency"]) == (2468.0, "USD", "USD")
    assert decision not in page + case + str(listing) + str(view)


def test_without_it_pages_and_api_say_nothing_of_amounts(client: TestClient[Litestar], live: Workspace) -> None:
    adopted(live, "")
    flight(live, "UA1", 24_680.0)

    page, listing = client.get(QUEUE).text, client.get(f"/v1/use-cases/{NAME}/cases", headers=key(live)).json()

    assert "What is at stake, how unsure the model was" in page and "At stake" not in page
    assert listing["cases"][0]["at_stake"] is None


def test_what_a_personal_column_tells_is_ordered_by_and_not_shown(
    client: TestClient[Litestar], live: Workspace
) -> None:
    text = FILE.replace("unit: miles}", "unit: miles, personal: true}").replace("review:\n", f"review:\n{FARES}")
    defining.adopt(live, defining.parse_definition(text, "late_arrival.yaml"), SYSTEM)
    flight(live, "UA1", 10.0)
    flight(live, "UA2", 24_680.0)

    page, listing = client.get(QUEUE).text, client.get(f"/v1/use-cases/{NAME}/cases", headers=key(live)).json()

    assert [(each["entity"], each["at_stake"]) for each in listing["cases"]] == [("UA2", None), ("UA1", None)]
    assert "2,468" not in page and "24,680" not in page
    assert "2,468" not in client.get(f"/queue/cases/{listing['cases'][0]['id']}").text


@pytest.mark.both_stores
def test_cases_of_before_the_file_said_so_keep_their_order_and_show_their_amounts(
    client: TestClient[Litestar], live: Workspace, clock: FixedClock
) -> None:
    adopted(live, "")
    flight(live, "first, cheap", 10.0)
    clock.advance(timedelta(minutes=1))
    flight(live, "second, dear", 90_000.0)
    assert listed(live) == ["first, cheap", "second, dear"]

    adopted(live, FARES)
    clock.advance(timedelta(minutes=1))
    flight(live, "third, as usual", 1_800.0)
    flight(live, "fourth, twice as much", 3_600.0)

    assert listed(live) == ["fourth, twice as much", "first, cheap", "second, dear", "third, as usual"]
    assert re.findall(r"At stake\">([\d.,]+) USD", client.get(QUEUE).text) == ["360", "1.00", "9,000", "180"]
