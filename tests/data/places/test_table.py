"""Tables of all keys: written at once, read live within their greatest age, missing beyond it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from pilotage.cli.main import run
from pilotage.data import flow, places
from pilotage.data.places.drivers import Connection
from pilotage.govern.records import SYSTEM
from pilotage.platform.clock import FixedClock
from pilotage.platform.errors import Conflict, NotFound, SourceUnavailable
from pilotage.platform.workspace import Workspace
from pilotage.usecase.flow import adopt
from pilotage.usecase.records import Definition
from tests import postgres
from tests.data.places.test_source import placed, request
from tests.data.shop import TEXT, fill, shop

TABLE = "live: table, live_age: 15 minutes"


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    with postgres.cluster_or_skip("materialised tables in PostgreSQL") as address:
        yield address


@pytest.fixture(params=["", "sqlite", "duckdb", "postgresql"])
def definition(
    request: pytest.FixtureRequest, tmp_path: Path, work: Workspace, shop_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Definition:
    """The shop with its tables in each engine, synced; without one named, in a file of the home."""
    if not request.param:
        found = placed(place=TABLE)
    else:
        path = tmp_path / f"live.{request.param}"
        local = f"{request.param}:///{path}"
        address = request.getfixturevalue("cluster") if request.param == "postgresql" else local
        monkeypatch.setenv("LIVE", address)
        found = placed(place=f"{TABLE}, live_at: env:LIVE")
    flow.sync(work, found)
    return found


def test_a_table_gives_each_key_what_the_snapshot_gives(
    work: Workspace, clock: FixedClock, definition: Definition
) -> None:
    written = flow.materialise(work, definition)
    assert [each.keys for each in written] == [2]
    live, memory = flow.open_live(work, definition), flow.open_live(work, definition, places=False)
    now = clock.now()
    for store in ("north", "south", "nowhere", None):
        told = live.assemble_told(request(store, now), now)
        assert told.missing == {}
        assert told.values == memory.assemble(request(store, now), now)


def test_a_value_older_than_its_greatest_age_is_missing_and_said_to_be(
    work: Workspace, clock: FixedClock, definition: Definition
) -> None:
    flow.materialise(work, definition)
    live = flow.open_live(work, definition)
    in_time, too_late = clock.now() + timedelta(minutes=15), clock.now() + timedelta(minutes=15, seconds=1)
    assert live.assemble_told(request("north", in_time), in_time).missing == {}
    told = live.assemble_told(request("north", too_late), too_late)
    assert set(told.missing.values()) == {"too_old"}
    assert told.values["last_grade"] is None
    long_before = clock.now() - timedelta(hours=1)
    assert set(live.assemble_told(request("north", long_before), long_before).missing.values()) == {"too_old"}


def test_tables_are_replaced_while_a_reader_keeps_its_connection(
    work: Workspace, clock: FixedClock, shop_path: Path, definition: Definition
) -> None:
    flow.materialise(work, definition)
    live = flow.open_live(work, definition)
    assert live.assemble_told(request("north", clock.now()), clock.now()).missing == {}
    clock.advance(timedelta(minutes=20))
    fill(shop_path, "visits", [("new", "north", 8.5, "z", clock.now(), clock.now())])
    flow.sync(work, definition)
    flow.materialise(work, definition)
    assert live.assemble(request("north", clock.now()), clock.now())["last_grade"] == "z"


def test_what_a_job_repeats_writes_tables_only_when_a_third_of_their_age_is_over(
    work: Workspace, clock: FixedClock, shop_path: Path
) -> None:
    definition = adopt(work, placed(place=TABLE), SYSTEM)
    flow.sync(work, definition)
    made = []
    for _ in range(8):
        flow.materialise_due(work)
        live = flow.open_live(work, definition)
        reader = Connection(f"sqlite:///{flow.placing.file_of_tables(work, 'returns')}", 5.0)
        made.append(reader.ask("SELECT made_at FROM returns_made", {})[0][0])
        assert live.assemble_told(request("north", clock.now()), clock.now()).missing == {}
        clock.advance(timedelta(minutes=2))
    assert len(set(made)) == 3


def test_a_table_that_was_never_made_leaves_values_missing(work: Workspace, clock: FixedClock, shop_path: Path) -> None:
    definition = placed(place=TABLE)
    flow.sync(work, definition)
    told = flow.open_live(work, definition).assemble_told(request("north", clock.now()), clock.now())
    assert set(told.missing.values()) == {"unreachable"}


def test_a_table_of_somebody_else_is_not_replaced(work: Workspace, tmp_path: Path, shop_path: Path) -> None:
    flow.sync(work, shop())
    path = tmp_path / "theirs.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE scores_visits_by_store AS SELECT 1 AS important")
    with pytest.raises(Conflict, match="scores_visits_by_store"):
        flow.materialise(work, shop(), f"duckdb:///{path}", "scores")
    with duckdb.connect(str(path)) as connection:
        assert connection.execute("SELECT important FROM scores_visits_by_store").fetchall() == [(1,)]


def test_a_failure_halfway_leaves_the_tables_as_they_were(work: Workspace, tmp_path: Path, shop_path: Path) -> None:
    flow.sync(work, shop())
    address = f"sqlite:///{tmp_path / 'live.db'}"
    flow.materialise(work, shop(), address, "scores")
    keyed = places.Keyed(flow.materialising.groups(shop().plan)[0], [("north", object())])
    with pytest.raises(SourceUnavailable, match="tables of scores could not be written"):
        places.replace(address, "scores", [keyed], work.clock.now())
    rows = Connection(address, 5.0).ask("SELECT store FROM scores_visits_by_store ORDER BY store", {})
    assert rows == [("north",), ("south",)]


def test_a_use_case_without_tables_says_how_to_get_them(work: Workspace, shop_path: Path) -> None:
    with pytest.raises(NotFound, match="No input of returns is read from a table"):
        flow.materialise(work, shop())


def test_the_command_writes_all_columns_where_it_is_told(
    tmp_path: Path, shop_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PILOTAGE_HOME", str(tmp_path / "home"))
    file = tmp_path / "shop.yaml"
    file.write_text(TEXT)
    assert run(["sync", str(file)]) == 0
    capsys.readouterr()
    monkeypatch.setenv("OUT", f"duckdb:///{tmp_path / 'out.duckdb'}")
    assert run(["materialise", "returns", "--to", "env:OUT", "--table", "shop_now", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said[0]["table"] == "shop_now_visits_by_store"
    with duckdb.connect(str(tmp_path / "out.duckdb"), read_only=True) as connection:
        rows = connection.execute("SELECT store FROM shop_now_visits_by_store ORDER BY store").fetchall()
    assert rows == [("north",), ("south",)]
