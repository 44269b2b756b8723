"""Training sets: rows in are rows out, and a set can be built again from what it names."""

from __future__ import annotations

import json
import sqlite3
from datetime import timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from pilotage.data import flow
from pilotage.data.fingerprint import fingerprint
from pilotage.data.rules.needs import needed_columns
from pilotage.decisions.answering.service import Service
from pilotage.govern.records import SYSTEM
from pilotage.platform.clock import FixedClock
from pilotage.platform.errors import CorruptArtefact, EvidenceMissing, InvalidFile
from pilotage.platform.workspace import Workspace
from pilotage.usecase.flow import adopt, latest_evidence, parse_definition
from tests.data.conftest import DAY
from tests.data.shop import TEXT, fill, shop


def test_each_decision_old_enough_gives_one_row(work: Workspace, shop_path: Path) -> None:
    flow.sync(work, shop())
    built = flow.build(work, shop())
    rows = flow.training_rows(work, built).to_pylist()
    newest_outcome = DAY + 59 * timedelta(minutes=70) + timedelta(hours=20)
    old_enough = [n for n in range(60) if DAY + n * timedelta(minutes=70) + timedelta(days=1) <= newest_outcome]
    assert [row["entity"] for row in rows] == [f"o{n}" for n in old_enough]
    assert (built.rows, built.labelled) == (len(rows), len(rows))
    assert built.positives == sum(row["label"] for row in rows) == len(range(0, len(rows), 3))
    assert [row["rule"] for row in rows] == [None if r["last_score"] is None else r["last_score"] > 5 for r in rows]
    evidence = latest_evidence(work, "returns", "training_set")
    assert evidence is not None
    assert (evidence.body["rows_in"], evidence.body["rows_out"]) == (60, len(rows))


def test_it_is_rebuilt_the_same_after_the_sources_went_on(work: Workspace, shop_path: Path, clock: FixedClock) -> None:
    flow.sync(work, shop())
    first = flow.build(work, shop())
    fill(shop_path, "visits", [("v1", "north", 77.0, "a", DAY, clock.now())])
    fill(shop_path, "returns", [("o1", 1, clock.now())])
    flow.sync(work, shop())
    second = flow.build(work, shop())
    assert second.fingerprint != first.fingerprint
    assert flow.prove(work, shop(), first).same
    assert flow.prove(work, shop(), second).same
    assert flow.latest_training_set(work, "returns") == second


def test_a_changed_segment_is_refused(work: Workspace, shop_path: Path) -> None:
    flow.sync(work, shop())
    built = flow.build(work, shop())
    segment = flow.snapshot(work, "returns", "orders").segments[0]
    path = work.lake.path(segment.digest, ".parquet")
    content = bytearray(path.read_bytes())
    content[40] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(CorruptArtefact, match="was changed"):
        flow.build(work, shop())
    assert not flow.rebuild(work, built).same


def test_a_decision_counts_with_what_was_known_of_it_then(work: Workspace, shop_path: Path) -> None:
    at = DAY + timedelta(hours=5)
    fill(
        shop_path,
        "orders",
        [
            ("moved", "north", 1.0, at, at - timedelta(hours=2)),
            ("moved", "south", 2.0, at, at - timedelta(hours=1)),
            ("moved", "west", 3.0, at, at + timedelta(hours=1)),
            ("unknown", "north", 1.0, at, at + timedelta(minutes=1)),
        ],
    )
    text = TEXT.replace("  moment: placed_at\n", "  moment: placed_at\n  where: amount < 20\n")
    flow.sync(work, shop(text))
    rows = {row["entity"]: row for row in flow.training_rows(work, flow.build(work, shop(text))).to_pylist()}
    assert (rows["moved"]["store"], rows["moved"]["amount"], rows["moved"]["label"]) == ("south", 2.0, None)
    assert "unknown" not in rows
    assert "o20" not in rows


def test_the_printed_sql_runs_by_itself(work: Workspace, shop_path: Path) -> None:
    flow.sync(work, shop())
    built = flow.build(work, shop())
    connection = duckdb.connect()
    connection.execute(flow.script(work, shop()))
    table = connection.sql("SELECT * FROM training_set ORDER BY moment, entity").to_arrow_table()
    assert fingerprint(table) == built.fingerprint


def test_no_outcome_yet_is_said(work: Workspace, shop_path: Path) -> None:
    text = TEXT.replace("matures: 1 day", "matures: 40 days")
    flow.sync(work, shop(text))
    with pytest.raises(EvidenceMissing, match="No decision of returns is older than 40 days"):
        flow.build(work, shop(text))


def test_live_columns_name_the_snapshots_they_stand_on(work: Workspace, shop_path: Path) -> None:
    results = flow.sync(work, shop())
    live = flow.open_live(work, shop())
    assert live.versions == {result.source: result.version for result in results}
    assert live.known_to == {result.source: result.known_to for result in results}


@pytest.mark.parametrize("other", [[1.0, 3.0], [2.0, 1.0], [1.0, None], [1, 2]])
def test_a_fingerprint_changes_with_values_order_nulls_and_types(other: list[object]) -> None:
    assert fingerprint(pa.table({"a": other})) != fingerprint(pa.table({"a": [1.0, 2.0]}))
    assert fingerprint(pa.table({"a": ["x", None]})) != fingerprint(pa.table({"a": ["x", ""]}))


def test_rows_are_found_by_a_key_that_has_another_name_in_its_source(work: Workspace, shop_path: Path) -> None:
    with sqlite3.connect(shop_path) as connection:
        connection.execute("CREATE VIEW visits_elsewhere AS SELECT *, store AS place, 'x' || store AS shop FROM visits")
    named = (
        TEXT.replace("table: visits", "table: visits_elsewhere")
        .replace("by: store", "by: {store: place}")
        .replace("use_case: returns", "use_case: elsewhere")
    )
    same, other = shop(), parse_definition(named, "elsewhere.yaml")
    assert "place" in needed_columns(other)["visits"]
    for definition in (same, other):
        flow.sync(work, definition)
    expected, found = (flow.training_rows(work, flow.build(work, each)) for each in (same, other))
    assert found.equals(expected)
    request, at = {"store": "north", "amount": 1.0, "placed_at": DAY + timedelta(hours=30)}, DAY + timedelta(hours=30)
    live = [flow.open_live(work, each).assemble({**request, "order_id": "o1"}, at) for each in (same, other)]
    assert live[0] == live[1]
    assert live[1]["last_score"] is not None


def test_rows_are_found_by_the_entity_which_the_app_sends_anyway(work: Workspace, shop_path: Path) -> None:
    with sqlite3.connect(shop_path) as connection:
        connection.execute(
            "CREATE VIEW notes AS SELECT 'n' || order_id AS visit_id, order_id AS ref, amount AS score, 'a' AS grade, "
            "placed_at AS happened_at, known_at, store FROM orders WHERE CAST(amount AS INTEGER) % 2 = 0"
        )
    text = TEXT.replace("table: visits", "table: notes").replace(
        "  last_grade:",
        "  own_note: {latest: visits, by: {order_id: ref}, take: score, within: 30 days}\n  last_grade:",
    )
    definition = parse_definition(text, "noted.yaml")
    assert "order_id" not in definition.plan.request
    flow.sync(work, definition)
    rows = flow.training_rows(work, flow.build(work, definition)).to_pylist()
    assert [row["own_note"] for row in rows] == [float(n) if n % 2 == 0 else None for n in range(len(rows))]
    adopt(work, definition, SYSTEM)
    service = Service(work)
    service.following.look_at_sources()
    asked = {"order_id": "o4", "store": "north", "amount": 4.0, "placed_at": work.clock.now().isoformat()}
    question = service.following.servings["returns"].ask(json.dumps(asked).encode(), work.clock.now())
    service.close()
    assert question.values is not None
    assert question.values["own_note"] == 4.0


def test_the_entity_is_not_asked_for_a_second_time() -> None:
    with pytest.raises(InvalidFile, match="mistake") as refused:
        parse_definition(TEXT.replace("    amount: number", "    amount: number\n    order_id: category"), "shop.yaml")
    assert "The app sends order_id as the entity already" in str(refused.value.problems[0])


def test_why_there_is_no_decision_is_said_by_what_the_rows_show(work: Workspace, shop_path: Path) -> None:
    late = parse_definition(TEXT.replace("table: orders", "table: written").replace("returns\n", "late\n", 1), "a.yaml")
    none = parse_definition(
        TEXT.replace("  request:\n", "  where: amount > 1000\n  request:\n").replace("returns\n", "none\n", 1), "b.yaml"
    )
    with sqlite3.connect(shop_path) as connection:
        moved = "SELECT order_id, store, amount, placed_at, datetime(known_at, '+3 days') AS known_at FROM orders"
        # the newest 22 orders are not known yet
        connection.execute(f"CREATE VIEW written AS {moved}")
    for definition, reason in (
        (late, r"All 38 rows of orders became known \(known_at\) after the moment of their own decision"),
        (none, "None of the 60 rows of orders fulfils"),
    ):
        flow.sync(work, definition)
        with pytest.raises(EvidenceMissing, match=reason):
            flow.build(work, definition)
