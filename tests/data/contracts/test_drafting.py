"""A first contract from what a source's rows look like: it reads, it holds, and each guess says its figure."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from pilotage.data import flow
from pilotage.data.contracts.drafting import drafted, rounded_outwards
from pilotage.data.contracts.figures import ColumnFigures, Figures, measure
from pilotage.data.contracts.reading import parsed
from pilotage.data.contracts.records import ColumnContract, Protection
from pilotage.data.flow import adopting, contracting
from pilotage.data.flow.drafting import draft_text
from pilotage.data.records import FoundColumn
from pilotage.govern.records import SYSTEM
from pilotage.platform.errors import NotFound, SourceUnavailable
from pilotage.platform.workspace import Workspace
from tests.data.conftest import DAY
from tests.data.contracts.promises import write
from tests.data.shop import fill, shop


@pytest.mark.parametrize(
    ("least", "most", "wanted"),
    [
        (1, 4983, (0, 5000)),
        (-62, 1301, (-100, 1400)),
        (0, 1, (0, 1)),
        (0.02, 0.98, (0.02, 0.98)),
        (1, 12, (1, 12)),
        (0, 0, (0, 0)),
        (-5, -1, (-5, -1)),
        (1013.2, 1042.1, (1000, 1100)),
        (-3e9, 0.001, (-3e9, 0.001)),
        (5e-324, 5e-324, None),
        (-1e308, 1.7e308, None),
        (0.99999999999, 9.00000000001, None),
        (-9.00000000001, -1.00000000001, None),
    ],
)
def test_a_range_is_rounded_outwards_and_never_over_zero(
    least: float, most: float, wanted: tuple[float, float] | None
) -> None:
    low, high = rounded_outwards(least, most)
    assert low <= least <= most <= high
    assert wanted is None or (low, high) == pytest.approx(wanted)


def test_a_draft_holds_of_the_rows_that_it_was_made_of(work: Workspace, shop_path: Path, tmp_path: Path) -> None:
    flow.sync(work, shop())
    text = draft_text(work, shop(), "orders", {})
    found = parsed(text, "draft")
    assert (found.severity, found.owner) == ("warns", "data@example.com")
    assert found.columns["order_id"] == ColumnContract(
        type="text", required=True, unique=True, pattern="^[a-z]+[0-9]+$"
    )
    assert found.columns["store"].categories == ["north", "south", "west"]
    assert (found.columns["amount"].min, found.columns["amount"].max) == (0, 59)
    assert found.columns["placed_at"].required
    assert found.freshness is None, "the shop has been closed for a day"
    assert "# No freshness: the newest row is of 2013-" in text
    assert "UTC, older than the 3 hours that held while rows came." in text
    assert "min: 0 # from 60 rows: 0 to 59" in text
    assert "required: true # none of 60 rows is empty" in text
    for source in ("visits", "returns"):
        write(tmp_path / "contracts", **{source: draft_text(work, shop(), source, {})})
    write(tmp_path / "contracts", orders=text)
    adopting.adopt(work, shop(), tmp_path / "contracts", SYSTEM, flow.look(shop()).columns)
    assert {name: [v.message for v in found] for name, found in contracting.check_now(work, shop()).items()} == {
        "orders": [],
        "returns": [],
        "visits": [],
    }


def test_of_long_texts_no_shape_is_promised_as_only_their_beginning_is_looked_at() -> None:
    with duckdb.connect() as engine:
        engine.execute("CREATE TABLE t AS SELECT 'A1' || repeat('a', 60) || n || '!' AS long FROM range(100) AS r(n)")
        figures = measure(engine, "t", [FoundColumn("long", "text", "VARCHAR")], "")
    assert drafted("t", "o", (), figures, {}).contract.columns["long"].pattern == ""


def test_of_few_rows_nothing_is_promised_for_all_that_will_come(work: Workspace, shop_path: Path) -> None:
    fill(
        shop_path,
        "few",
        [("a", "x", 1.0, DAY, DAY)],
        "order_id TEXT, store TEXT, amount REAL, placed_at DATETIME, known_at DATETIME",
    )
    definition = shop()
    figures = Figures(
        1,
        (
            ColumnFigures("a", "text", 1, 1, shape="a99", categories=("a12",)),
            ColumnFigures("n", "number", 1, 1, 1.0, 1.0),
        ),
    )
    made = drafted("orders", "o", (), figures, {}).contract
    assert made.columns == {"a": ColumnContract(type="text"), "n": ColumnContract(type="number")}
    with pytest.raises(NotFound, match="has no source few"):
        draft_text(work, definition, "few", {})


def test_proposals_are_taken_with_their_reason_and_columns_in_use_stay_usable() -> None:
    figures = Figures(100, (ColumnFigures("mail", "text", 90, 90), ColumnFigures("age", "number", 100, 50, 18.0, 99.0)))
    proposals = {
        "mail": Protection("personal", ("inference",), "partial", "by its name, e-mail addresses"),
        "age": Protection("personal", ("logging",), "hide", "by its name, ages"),
    }
    made = drafted("people", "o", ("mail",), figures, proposals, used=["age"])
    assert made.contract.columns["mail"].purposes == ("inference",)
    assert made.contract.columns["age"].purposes == ("training", "inference", "logging")
    assert made.remarks[("columns", "mail", "sensitivity")] == "by its name, e-mail addresses"
    assert "training and inference is not proposed" in made.remarks[("columns", "age", "purposes")]


def test_identifiers_of_one_shape_get_their_pattern() -> None:
    columns = (
        ColumnFigures("a", "text", 100, 100, shape="AA999", runs="A9"),
        ColumnFigures("b", "text", 100, 100, runs="9-A9.A"),
        ColumnFigures("c", "text", 100, 100, shape="aaaa", runs="a"),
        ColumnFigures("d", "text", 100, 100, shape="A" * 41),
        ColumnFigures("e", "text", 100, 100, shape="9é9"),
    )
    made = drafted("ids", "o", ("a",), Figures(100, columns), {}).contract
    patterns = [column.pattern for column in made.columns.values()]
    assert patterns == ["^[A-Z]{2}[0-9]{3}$", r"^[0-9]+-[A-Z]+[0-9]+\.[A-Z]+$", "", "", ""]


def test_freshness_is_twice_what_nearly_all_waits_keep_within() -> None:
    made = [drafted("s", "o", (), Figures(9, (), 100, gap), {}).contract.freshness for gap in (60.0, 7200.0, 200_000.0)]
    assert made == ["1 hour", "4 hours", "5 days"]
    assert drafted("s", "o", (), Figures(9, (), 3, 60.0), {}).contract.freshness is None


def test_odd_columns_are_drafted_and_read_again(work: Workspace, shop_path: Path, tmp_path: Path) -> None:
    odd = (
        "order_id TEXT, store TEXT, amount REAL, placed_at DATETIME, known_at DATETIME, "
        '"select" TEXT, "a b" REAL, "😀" TEXT, "no" TEXT'
    )
    rows = [
        (
            f"o{n}",
            "north",
            float(n),
            DAY + n * timedelta(hours=1),
            DAY + n * timedelta(hours=1),
            None,
            None,
            "0123",
            "NO",
        )
        for n in range(40)
    ]
    shop_path.unlink()
    for table in ("visits", "returns"):
        fill(shop_path, table, [])
    fill(shop_path, "orders", rows, odd)
    with pytest.raises(SourceUnavailable, match="no rows"):
        flow.sync(work, shop())
    found = parsed(draft_text(work, shop(), "orders", {}), "draft")
    assert found.columns["😀"].categories == ["0123"]
    assert found.columns["no"].categories == ["NO"]
    assert found.columns["select"] == ColumnContract(type="text")
