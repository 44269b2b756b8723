"""A sample of live answers, joined again as training would: what was missing live, and what was another value."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from tests.decisions.parity.conftest import FILE, Trained
from tests.living import visitor

from pilotage.data import flow as data
from pilotage.decisions import flow as deciding
from pilotage.decisions import parity
from pilotage.decisions import store as ledger
from pilotage.decisions.answering.serving import open_serving
from pilotage.decisions.durable import draining
from pilotage.decisions.parity.records import Rejoined
from pilotage.govern.records import SYSTEM, Role
from pilotage.platform.clock import FixedClock
from pilotage.platform.engine import analytical
from pilotage.platform.settings import Settings
from pilotage.platform.workspace import Workspace, open_workspace
from pilotage.usecase import flow as defining
from pilotage.usecase.records import Definition

UNTIL = datetime(2013, 11, 18, 18, tzinfo=UTC)
_BEHIND = UNTIL - timedelta(hours=6)
_ASKED = """
SELECT flight_id, carrier, origin, tail_number, distance_miles, scheduled_departure FROM '{folder}/flights.parquet'
WHERE scheduled_departure BETWEEN TIMESTAMP '{since:%Y-%m-%d %H:%M}' AND TIMESTAMP '{until:%Y-%m-%d %H:%M}'
"""


class Office:
    """A use case of its own over the same flights, whose arrivals are synced as far as a test says."""

    def __init__(self, trained: Trained, home: Path) -> None:
        self.folder, self._whole = home, trained.folder
        for name in ("flights", "weather", "arrivals"):
            shutil.copy(trained.folder / f"{name}.parquet", home / f"{name}.parquet")
        clock = FixedClock(UNTIL - timedelta(days=1))
        self.work: Workspace = open_workspace(Settings(home=home / "home"), clock)
        text = FILE.replace("FOLDER", str(home)).replace("personal: true", "personal: false")
        self.definition: Definition = defining.parse_definition(text, "late_arrival.yaml")
        defining.adopt(self.work, self.definition, SYSTEM)
        clock.advance(timedelta(days=1))

    def sync(self, arrivals_until: datetime) -> None:
        with analytical() as engine:
            place = self.folder / "arrivals.parquet"
            place.unlink()
            engine.execute(
                f"COPY (SELECT * FROM '{self._whole}/arrivals.parquet' "
                f"WHERE recorded_at <= TIMESTAMP '{arrivals_until:%Y-%m-%d %H:%M}') TO '{place}'"
            )
        data.sync(self.work, self.definition)

    def answer(self, since: datetime) -> int:
        """Answers about every flight from then on that is due by now, as a worker would."""
        with analytical() as engine:
            last = UNTIL + timedelta(hours=1)
            rows = engine.sql(_ASKED.format(folder=self.folder, since=since, until=last)).to_arrow_table()
        sent = [
            {**row, "scheduled_departure": row["scheduled_departure"].replace(tzinfo=UTC)} for row in rows.to_pylist()
        ]
        serving = open_serving(self.work, self.definition, data.open_live(self.work, self.definition))
        contents = []
        for row in sent:
            now = self.work.clock.now()
            question = serving.ask(msgspec.json.encode(row), now)
            contents.append(ledger.encode(serving.decide(question, serving.score(question), SYSTEM, now)))
        return draining.keep(self.work, contents)

    def rejoined(self) -> Rejoined:
        found = parity.rejoin(self.work, self.definition)
        assert found is not None
        return found


@pytest.fixture
def office(trained: Trained, tmp_path: Path) -> Iterator[Office]:
    made = Office(trained, tmp_path)
    yield made
    made.work.close()


def test_answers_that_had_what_training_would_have_are_the_same_throughout(office: Office) -> None:
    office.sync(UNTIL)
    asked = office.answer(UNTIL - timedelta(hours=30))
    found = office.rejoined()
    assert (found.differing, found.share_same) == ((), 1.0)
    assert found.until - found.since == timedelta(days=1)
    assert 500 < found.compared == found.same <= found.decisions < asked
    assert found.compared <= 1_000


def test_rows_that_came_after_the_answer_are_told_column_by_column(office: Office) -> None:
    office.sync(_BEHIND)
    office.answer(UNTIL - timedelta(hours=20))
    office.sync(UNTIL)
    found = office.rejoined()
    by_name = {each.column: each for each in found.differing}
    assert {"aircraft_last_delay", "count_by_carrier_1d", "mean_arr_delay_by_carrier_1d"} <= set(by_name)
    assert set(by_name).isdisjoint({"carrier", "origin", "distance_miles", "sky", "temp_f", "departure_hour"})
    lookup, counts = by_name["aircraft_last_delay"], by_name["count_by_carrier_1d"]
    assert lookup.mismatch == lookup.differing > 0
    assert counts.mismatch == counts.differing
    assert counts.example is not None and counts.example.moment > _BEHIND
    assert float(counts.example.live) < float(counts.example.trained)
    assert 0 < found.same < found.compared
    assert parity.latest_rejoined(office.work, "late_arrival") == found


def test_what_live_knew_and_training_does_not_is_extra(office: Office) -> None:
    office.sync(UNTIL)
    office.answer(UNTIL - timedelta(hours=2))
    answered = deciding.recent(office.work, "late_arrival", 1)[0]
    inputs = {**answered.inputs, "tail_number": None, "aircraft_last_delay": 12.0}
    made_up = msgspec.structs.replace(answered, id="dec_made_up", entity="ZZ-1", inputs=inputs)
    with office.work.database.writing() as connection:
        ledger.insert_all(connection, [(made_up, ledger.encode(made_up))], "batch_test")
    (differing,) = office.rejoined().differing
    assert (differing.column, differing.extra, differing.differing) == ("aircraft_last_delay", 1, 1)
    assert differing.example is not None
    assert (differing.example.entity, differing.example.trained, differing.example.live) == ("ZZ-1", "nothing", "12.0")


def test_without_answers_there_is_nothing_to_say(office: Office) -> None:
    office.sync(UNTIL)
    assert parity.rejoin(office.work, office.definition) is None
    assert parity.latest_rejoined(office.work, "late_arrival") is None


def test_what_was_answered_by_an_earlier_file_is_not_held_against_this_one(office: Office) -> None:
    office.sync(UNTIL)
    office.answer(UNTIL - timedelta(hours=2))
    changed = office.definition.text.replace("EXTRACT(HOUR", "EXTRACT(MINUTE")
    definition = defining.adopt(office.work, defining.parse_definition(changed, "late_arrival.yaml"), SYSTEM)
    assert parity.rejoin(office.work, definition) is None


def test_the_job_measures_every_use_case_and_the_operate_page_tells(office: Office) -> None:
    office.sync(_BEHIND)
    office.answer(UNTIL - timedelta(hours=20))
    office.sync(UNTIL)
    parity.rejoin_all(office.work)
    with visitor(office.work, Role.VIEWER) as person:
        page = person.get("/use-cases/late_arrival/operate").text
    assert "Columns live and in training" in page
    assert "aircraft_last_delay" in page and "Missing live" in page
