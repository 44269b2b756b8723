"""Columns whose values become others from one sync to the next: nothing is misread, and nothing grows by itself."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from pilotage.audit import flow as auditing
from pilotage.data import flow, snapshots
from pilotage.platform.clock import FixedClock
from pilotage.platform.errors import InvalidFile, SourceUnavailable
from pilotage.platform.workspace import Workspace
from pilotage.usecase.flow import parse_definition
from pilotage.usecase.records import Definition
from tests.data.conftest import DAY
from tests.data.shop import TEXT
from tests.data.stored import outcomes_of

ORDERS = "    database: env:SHOP\n    table: orders\n"


def over_files(folder: Path, more: str = "", inputs: str = "") -> Definition:
    """The shop, its orders in a file."""
    text = TEXT.replace(ORDERS, f"    files: {folder / 'orders.csv'}\n{more}").replace("  amount: request\n", inputs)
    return parse_definition(text if inputs else text.replace("inputs:\n", "inputs:\n  amount: request\n"), "shop.yaml")


def orders(folder: Path, *rows: str, header: str = "order_id;store;amount;due;placed_at;known_at") -> None:
    at = "2013-12-01 10:00:00;2013-12-01 10:00:00"
    (folder / "orders.csv").write_text("\n".join([header, *(f"{row};{at}" for row in rows)]) + "\n")


def rows_of(work: Workspace, definition: Definition) -> list[dict[str, object]]:
    found = flow.snapshot(work, definition.name, "orders")

    with snapshots.engine(work.lake) as engine:
        return (
            engine.sql(f"SELECT * FROM {snapshots.newest_sql(work.lake, found)} ORDER BY 1")
            .to_arrow_table()
            .to_pylist()
        )


def test_an_unused_column_that_turns_out_to_be_dates_stays_text_and_nothing_is_corrected(
    work: Workspace, shop_path: Path, tmp_path: Path
) -> None:
    definition = over_files(tmp_path)
    orders(tmp_path, "o1;north;1;01/02/2013", "o2;north;2;03/04/2013")
    flow.sync(work, definition)
    orders(tmp_path, "o1;north;1;01/02/2013", "o2;north;2;03/04/2013", "o3;north;3;13/02/2013")
    counts = [next(r for r in flow.sync(work, definition) if r.source == "orders") for _ in range(3)]
    assert [(result.rows_new, result.corrected) for result in counts] == [(1, 0), (0, 0), (0, 0)]
    assert [row["due"] for row in rows_of(work, definition)] == ["01/02/2013", "03/04/2013", "13/02/2013"]
    assert auditing.run(work, definition).use_case == "returns"


@pytest.mark.parametrize("then", ["7;8", "7.5;8.5"])
def test_an_unused_column_of_words_that_becomes_numbers_can_still_be_read(
    work: Workspace, shop_path: Path, tmp_path: Path, then: str
) -> None:
    definition = over_files(tmp_path)
    first, second = then.split(";")
    orders(tmp_path, "o1;north;1;n/a", "o2;north;2;5")
    flow.sync(work, definition)
    orders(tmp_path, f"o1;north;1;{first}", f"o2;north;2;{second}")
    flow.sync(work, definition)
    assert [row["due"] for row in rows_of(work, definition)] == [first, second]
    assert auditing.run(work, definition).use_case == "returns"


def test_fractions_stay_fractions_when_the_newest_rows_are_whole(
    work: Workspace, shop_path: Path, tmp_path: Path
) -> None:
    definition = over_files(tmp_path)
    orders(tmp_path, "o1;north;1.5;a", "o2;north;2;b")
    flow.sync(work, definition)
    orders(tmp_path, "o2;north;2;b", "o3;north;3;c")
    flow.sync(work, definition)
    assert [row["amount"] for row in rows_of(work, definition)] == [1.5, 2.0, 3.0]


def test_under_a_declared_comma_no_number_ever_changes_its_scale(
    work: Workspace, shop_path: Path, tmp_path: Path
) -> None:
    definition = over_files(tmp_path, '    decimal: ","\n')
    orders(tmp_path, "o1;north;1.500;a", "o2;north;2.500;b")
    flow.sync(work, definition)
    assert [row["amount"] for row in rows_of(work, definition)] == [1500.0, 2500.0]
    orders(tmp_path, "o1;north;1.500;a", "o2;north;2.500;b", "o3;north;0.750;c")
    with pytest.raises(SourceUnavailable, match=r"amount.*text"):
        flow.sync(work, definition)
    assert [row["amount"] for row in rows_of(work, definition)] == [1500.0, 2500.0]


def test_the_value_that_is_no_number_is_named_with_its_row(work: Workspace, shop_path: Path, tmp_path: Path) -> None:
    definition = over_files(tmp_path)
    orders(tmp_path, "o1;north;1;a", "o2;north;2;b")
    flow.sync(work, definition)
    orders(tmp_path, "o1;north;1;a", "o2;north;twelve;b")
    with pytest.raises(SourceUnavailable) as refused:
        flow.sync(work, definition)
    assert "was number and is now text, because of 'twelve'" in refused.value.message
    assert refused.value.repair.startswith("Correct that value.")


def test_a_column_without_values_has_the_type_that_its_first_value_gives_it(
    work: Workspace, shop_path: Path, tmp_path: Path, clock: FixedClock
) -> None:
    definition = over_files(tmp_path, "    missing: [NA]\n")
    orders(tmp_path, "o1;north;NA;a", "o2;north;NA;b")
    flow.sync(work, definition)
    clock.advance(timedelta(hours=1))
    orders(tmp_path, "o1;north;NA;a", "o2;north;2;b")
    flow.sync(work, definition)
    assert [row["amount"] for row in rows_of(work, definition)] == [None, 2]
    clock.advance(timedelta(hours=1))
    orders(tmp_path, "o1;north;NA;a", "o2;north;NA;b")
    flow.sync(work, definition)
    assert [row["amount"] for row in rows_of(work, definition)] == [None, None]


def test_a_key_that_is_kept_as_a_fraction_is_the_same_key_in_training_and_live(
    work: Workspace, shop_path: Path, tmp_path: Path
) -> None:
    with sqlite3.connect(shop_path) as connection:
        connection.execute(
            "CREATE VIEW numbered AS SELECT *, CASE store WHEN 'north' THEN 5.0 ELSE 7.0 END AS no FROM visits"
        )
        connection.execute(
            "CREATE VIEW placed AS SELECT order_id, CASE store WHEN 'north' THEN '5' ELSE '7' END AS store, amount, "
            "placed_at, known_at FROM orders"
        )
    text = TEXT.replace("table: visits", "table: numbered").replace("by: store", "by: {store: no}")
    definition = parse_definition(text.replace("table: orders", "table: placed"), "shop.yaml")
    flow.sync(work, definition)
    rows = flow.training_rows(work, flow.build(work, definition)).to_pylist()
    assert sum(row["last_score"] is not None for row in rows) > 30
    asked = {"order_id": "x", "store": "5", "amount": 4.0, "placed_at": "2013-12-04T02:00:00Z"}
    live = flow.open_live(work, definition).assemble(asked, DAY + timedelta(days=3, hours=2))
    assert live["last_score"] is not None


def test_whole_and_fractional_ids_of_one_case_meet(work: Workspace, shop_path: Path) -> None:
    with sqlite3.connect(shop_path) as connection:
        for name, table, kind in (("whole", "orders", "INTEGER"), ("fractional", "returns", "REAL")):
            number = f"CAST(substr(order_id, 2) AS {kind}) AS order_no"
            connection.execute(f"CREATE VIEW {name} AS SELECT {number}, * FROM {table}")
    text = TEXT.replace("table: orders", "table: whole").replace("table: returns", "table: fractional")
    definition = parse_definition(text.replace("order_id", "order_no"), "shop.yaml")
    flow.sync(work, definition)
    built = flow.build(work, definition)
    assert built.labelled == built.rows > 30
    assert set(outcomes_of(work, definition, ["0", "3", "4"])) == {"0", "3", "4"}


def test_a_key_of_another_kind_is_refused_before_anything_is_read(work: Workspace, shop_path: Path) -> None:
    text = TEXT.replace("by: store", "by: {amount: grade}")
    definition = parse_definition(text, "shop.yaml")
    with pytest.raises(InvalidFile) as refused:
        flow.sync(work, definition)
    said = str(refused.value.problems[0])
    assert "visits.grade is a text; a number or flag is wanted" in said
    assert "amount of the request is a number: a key has one kind in both" in said
