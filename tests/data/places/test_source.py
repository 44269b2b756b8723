"""Columns asked of the source: the values that the snapshot has, rows that it has not yet, and failures."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pysqlite3
import pytest

from pilotage.data import flow
from pilotage.data.flow.placing import readers_of
from pilotage.data.places import Read, Reader
from pilotage.data.places.reading import Reuse
from pilotage.platform.clock import FixedClock
from pilotage.platform.errors import InvalidFile
from pilotage.platform.workspace import Workspace
from pilotage.usecase.records import Definition
from tests.data.conftest import DAY
from tests.data.shop import TEXT, WITH_STORES, fill, shop
from tests.data.stored import changed

NEWEST = DAY + timedelta(minutes=30 * 149)
LATENCY = "  kpi: Cost of returns\n"


def placed(text: str = TEXT, place: str = "live: source") -> Definition:
    """The shop with every lookup and window of visits at a place of its own, and time enough for a busy machine."""
    lines = [
        line.removesuffix("}") + f", {place}}}" if ": visits," in line and line.startswith("  ") else line
        for line in text.replace(LATENCY, LATENCY + "  latency_ms: 20000\n").splitlines()
    ]
    return shop("\n".join(lines) + "\n")


def request(store: str | None, moment: datetime) -> dict[str, Any]:
    return {"order_id": "new", "store": store, "amount": 3.0, "placed_at": moment}


def test_the_source_gives_what_the_snapshot_gives_at_every_moment(work: Workspace, shop_path: Path) -> None:
    corrections = [
        ("v140", "south", 7.5, "c", NEWEST - timedelta(hours=4), NEWEST - timedelta(minutes=50)),
        ("v141", "west", None, None, NEWEST - timedelta(hours=4), NEWEST - timedelta(minutes=40)),
        ("late", "north", 3.25, "b", NEWEST - timedelta(hours=9), NEWEST - timedelta(minutes=20)),
    ]
    fill(shop_path, "visits", corrections)
    changed(shop_path, "CREATE INDEX by_store ON visits (store, happened_at)")
    definition = placed()
    flow.sync(work, definition)
    memory, source = flow.open_live(work, definition, places=False), flow.open_live(work, definition)
    assert source.waits
    assert not memory.waits
    for minutes in range(-120, 90, 10):
        moment = NEWEST + timedelta(minutes=minutes, microseconds=minutes)
        for store in ("north", "south", "west", "nowhere", None):
            told = source.assemble_told(request(store, moment), moment)
            assert told.missing == {}
            assert told.values == memory.assemble(request(store, moment), moment)


def test_a_row_that_no_sync_has_seen_yet_counts_as_soon_as_it_is_written(work: Workspace, shop_path: Path) -> None:
    definition = placed()
    flow.sync(work, definition)
    live = flow.open_live(work, definition)
    moment = NEWEST + timedelta(minutes=5)
    before = live.assemble(request("north", moment), moment)
    fill(shop_path, "visits", [("new", "north", 8.5, "z", moment, moment)])
    after = live.assemble(request("north", moment), moment)
    assert (after["last_score"], after["last_grade"]) == (8.5, "z")
    assert after["count_by_store_2h"] == before["count_by_store_2h"] + 1
    assert live.assemble(request("north", moment), moment - timedelta(seconds=1))["last_score"] == before["last_score"]


def test_rows_of_long_ago_are_found_in_every_form_that_sqlite_keeps_instants_in(
    work: Workspace, shop_path: Path
) -> None:
    old = datetime(1961, 5, 1, 12, tzinfo=UTC)
    forms = {"north": "1961-05-01T12:00:00Z", "south": "1961-05-02 02:00:00+14:00", "west": old.timestamp()}
    for store, form in forms.items():
        changed(shop_path, f"INSERT INTO visits VALUES ('{store} old', '{store}', 4.5, 'o', {form!r}, {form!r})")
    definition = placed()
    flow.sync(work, definition)
    memory, source = flow.open_live(work, definition, places=False), flow.open_live(work, definition)
    for store in forms:
        moment = old + timedelta(minutes=30)
        assert memory.assemble(request(store, moment), moment)["last_score"] == 4.5
        assert source.assemble(request(store, moment), moment) == memory.assemble(request(store, moment), moment)


def test_a_row_that_says_that_its_key_is_deleted_takes_it_out(work: Workspace, shop_path: Path) -> None:
    text = TEXT.replace("    table: visits\n", "    table: visits\n    deleted: grade = 'gone'\n")
    definition = placed(text)
    flow.sync(work, definition)
    live = flow.open_live(work, definition)
    moment = NEWEST + timedelta(minutes=5)
    assert live.assemble(request("south", moment), moment)["last_score"] == 149 % 9
    fill(shop_path, "visits", [("v149", "south", None, "gone", NEWEST, moment)])
    assert live.assemble(request("south", moment), moment)["last_score"] == 147 % 9


@pytest.mark.parametrize("place", ["live: source", "live: table, live_age: 1 hour"])
def test_a_list_without_clocks_is_read_as_it_is(
    work: Workspace, shop_path: Path, clock: FixedClock, place: str
) -> None:
    fill(shop_path, "stores", [("north", "sea"), ("south", "hill")], "store TEXT, region TEXT")
    line = "region: {latest: stores, by: store, take: region, kind: category"
    definition = shop(WITH_STORES.replace(LATENCY, LATENCY + "  latency_ms: 20000\n").replace(line, f"{line}, {place}"))
    flow.sync(work, definition)
    if "table" in place:
        flow.materialise(work, definition)
    live = flow.open_live(work, definition)
    now = clock.now()
    regions = {store: live.assemble_told(request(store, now), now) for store in ("north", "south", "west")}
    assert {store: told.values["region"] for store, told in regions.items()} == {
        "north": "sea",
        "south": "hill",
        "west": None,
    }
    assert not any(told.missing for told in regions.values())


def test_a_condition_that_the_source_cannot_do_alike_is_refused_with_its_line(work: Workspace, shop_path: Path) -> None:
    definition = placed(TEXT.replace("take: score, within: 3 hours", "take: score, where: UPPER(grade) = 'A'"))
    with pytest.raises(InvalidFile) as found:
        flow.sync(work, definition)
    assert [problem.where for problem in found.value.problems] == ["inputs.last_score.where"]
    assert "SQLite cannot do UPPER" in found.value.problems[0].message


def test_a_column_that_is_gone_since_costs_values_and_no_answer(work: Workspace, shop_path: Path) -> None:
    definition = placed()
    flow.sync(work, definition)
    changed(shop_path, "ALTER TABLE visits RENAME COLUMN grade TO mark")
    told = flow.open_live(work, definition).assemble_told(request("north", NEWEST), NEWEST)
    assert told.missing["last_score"] == "unreachable"
    assert told.values["store"] == "north"


def test_a_source_that_is_gone_leaves_values_missing_and_says_so(work: Workspace, shop_path: Path) -> None:
    definition = placed()
    flow.sync(work, definition)
    shop_path.rename(shop_path.with_suffix(".away"))
    live = flow.open_live(work, definition)
    told = live.assemble_told(request("north", NEWEST), NEWEST)
    assert told.values["last_score"] is None
    assert told.values["amount"] == 3.0
    assert told.missing["last_score"] == "unreachable"
    assert set(told.missing) == {name for reader in readers_of(work, definition, {}) for name in reader.columns}


def test_a_question_finds_its_rows_by_the_index(work: Workspace, shop_path: Path) -> None:
    """A scan of the table for every answer would be found out only in production."""
    changed(shop_path, "CREATE INDEX by_store ON visits (store, happened_at)")
    changed(shop_path, "CREATE INDEX by_key ON visits (visit_id)")
    definition = placed()
    flow.sync(work, definition)
    reader = readers_of(work, definition, flow.current_snapshots(work, definition))[0]
    session: Any = reader._workers._opened()
    names = {"moment": f"{NEWEST:%Y-%m-%d %H:%M:%S.%f}", "store": "north", "n1_from": "2013-01-01", "n1_to": "2014"}
    plan = pysqlite3.connect(str(shop_path)).execute(f"EXPLAIN QUERY PLAN {session._sql}", names).fetchall()
    of_table = [step[3] for step in plan if " visits" in step[3]]
    assert of_table
    assert all("SEARCH visits USING INDEX" in step for step in of_table), of_table


class Stuck:
    """A session whose database does not answer until it is let go."""

    def __init__(self, gate: threading.Event) -> None:
        self.gate = gate

    def ask(self, request: Mapping[str, Any], moment: datetime) -> Read:
        self.gate.wait(30)
        return Read({"column": 1.0})

    def close(self) -> None:
        """Nothing is held."""


def test_a_reader_waits_no_longer_than_it_may() -> None:
    gate = threading.Event()
    reader = Reader("stuck", ["column"], lambda: Stuck(gate), (), 0.05)
    read = reader.read({}, DAY)
    assert (read.values, read.missing) == ({"column": None}, {"column": "too_slow"})
    gate.set()
    patient = Reader("freed", ["column"], lambda: Stuck(gate), (), 5.0)
    assert patient.read({}, DAY).values == {"column": 1.0}


class Counting:
    """A session that says how often it was asked."""

    asked = 0

    def ask(self, request: Mapping[str, Any], moment: datetime) -> Read:
        Counting.asked += 1
        return Read({"column": float(Counting.asked)})

    def close(self) -> None:
        """Nothing is held."""


def test_what_was_read_of_a_key_is_used_again_for_as_long_as_the_file_says() -> None:
    Counting.asked = 0
    reader = Reader("counts", ["column"], Counting, (), 20.0, Reuse(["store"], 600.0))

    def read(store: str, minutes: float) -> object:
        return reader.read({"store": store, "amount": minutes}, DAY + timedelta(minutes=minutes)).values["column"]

    assert [read("north", 0), read("north", 5), read("south", 5), read("north", 10)] == [1.0, 1.0, 2.0, 1.0]
    assert read("north", 11) == 3.0, "it is too old by then"
    assert read("north", 10) == 4.0, "what was read as of a later moment tells an earlier one nothing"
    assert read("north", 11) == 3.0, "and is kept"


def test_a_key_whose_age_is_over_is_asked_for_again_whatever_the_moment() -> None:
    Counting.asked = 0
    reader = Reader("counts", ["column"], Counting, (), 20.0, Reuse(["store"], 0.05))
    assert reader.read({"store": "north"}, DAY).values == {"column": 1.0}
    time.sleep(0.1)
    assert reader.read({"store": "north"}, DAY).values == {"column": 2.0}


def test_a_source_with_an_age_is_asked_once_for_a_key(work: Workspace, shop_path: Path) -> None:
    definition = placed(place="live: source, live_age: 1 hour")
    flow.sync(work, definition)
    live = flow.open_live(work, definition)
    before = live.assemble(request("north", NEWEST), NEWEST)["last_score"]
    changed(shop_path, "UPDATE visits SET score = 77")
    assert live.assemble(request("north", NEWEST), NEWEST)["last_score"] == before != 77.0
    fresh = placed(place="live: source")
    assert flow.open_live(work, fresh).assemble(request("north", NEWEST), NEWEST)["last_score"] == 77.0


def test_a_warm_reader_has_all_its_connections_before_the_first_question() -> None:
    opened = []

    def session() -> Stuck:
        opened.append(threading.current_thread().name)
        return Stuck(threading.Event())

    Reader("warm", ["column"], session, (), 0.001).warm()
    assert len(opened) == len(set(opened)) == 4


def test_many_questions_to_a_stuck_database_do_not_pile_up() -> None:
    gate = threading.Event()
    reader = Reader("stuck", ["column"], lambda: Stuck(gate), (), 0.001)
    reasons = {reader.read({}, DAY).missing["column"] for _ in range(200)}
    assert reasons == {"too_slow"}
    assert len([thread for thread in threading.enumerate() if thread.name.startswith("live stuck")]) <= 8
    gate.set()


@pytest.mark.parametrize(
    "place",
    ["live: table", "live: snapshot, live_age: 5 minutes", "live: table, live_age: 1 day, live_at: postgres://x"],
)
def test_places_that_do_not_go_together_are_refused(place: str) -> None:
    with pytest.raises(InvalidFile) as found:
        placed(place=place)
    assert all("live" in problem.where or "live_age" in problem.message for problem in found.value.problems)
