"""Contracts in force: adopted with their file, held against new rows and before training, and kept as evidence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from pilotage.data import flow, snapshots
from pilotage.data.contracts.records import Violation
from pilotage.data.flow import adopting, contracting
from pilotage.govern.flow import entries
from pilotage.govern.records import SYSTEM
from pilotage.platform.clock import FixedClock
from pilotage.platform.errors import ContractBroken, InvalidFile, SourceUnavailable
from pilotage.platform.workspace import Workspace
from pilotage.usecase.flow import evidence_history
from pilotage.usecase.records import Definition
from tests.data.contracts.promises import ORDERS, VISITS, write
from tests.data.shop import fill, shop

BLOCKING = ORDERS.replace("max: 100}", "max: 40, severity: blocks}")


def adopt(work: Workspace, folder: Path, **texts: str) -> Definition:
    """The shop with these contracts in force."""
    definition = shop()
    for path in folder.glob("*.yaml"):
        path.unlink()
    adopting.adopt(work, definition, write(folder, **texts), SYSTEM)
    return definition


@contextmanager
def new_rows(work: Workspace, *rows: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """A relation ``new`` as a sync stages it, of orders."""
    with snapshots.engine(work.lake) as connection:
        connection.execute(
            "CREATE TABLE new (order_id VARCHAR, store VARCHAR, amount DOUBLE, placed_at TIMESTAMP, "
            "known_at TIMESTAMP, _deleted BOOLEAN, _seen_at TIMESTAMP)"
        )
        for row in rows:
            connection.execute(f"INSERT INTO new VALUES ({row})")
        yield connection


def row(name: str, store: str = "north", amount: str = "5", at: str = "2013-12-05") -> str:
    return f"'{name}', '{store}', {amount}, '{at}', '{at}', false, NULL"


def build_check(work: Workspace, definition: Definition) -> tuple[Violation, ...]:
    with snapshots.engine(work.lake) as connection:
        found = flow.current_snapshots(work, definition)
        return contracting.check_before_training(work, definition, connection, found)


@pytest.mark.both_stores
def test_contracts_beside_the_file_are_adopted_and_retired_and_the_log_says_so(work: Workspace, tmp_path: Path) -> None:
    adopt(work, tmp_path / "contracts", orders=ORDERS, visits=VISITS)
    first = contracting.contract_fingerprints(work)
    assert set(first) == {"returns/orders", "returns/visits"}
    adopt(work, tmp_path / "contracts", orders=BLOCKING)
    assert set(contracting.current(work, "returns")) == {"orders"}
    assert contracting.contract_fingerprints(work)["returns/orders"] != first["returns/orders"]
    adopt(work, tmp_path / "contracts", orders=BLOCKING)
    adopted = list(entries(work, "contract.adopted"))
    assert [entry.subject for entry in adopted] == ["returns/orders", "returns/visits", "returns/orders"]
    assert adopted[2].detail["before"] == adopted[0].detail["fingerprint"]
    assert [entry.subject for entry in entries(work, "contract.retired")] == ["returns/visits"]


def test_mistakes_in_several_files_are_named_together_and_nothing_is_adopted(work: Workspace, tmp_path: Path) -> None:
    wrong = {
        "orders": ORDERS.replace("min: 0", "min: 500"),
        "visits": VISITS.replace("contract: visits", "contract: v"),
    }
    with pytest.raises(InvalidFile) as raised:
        adopt(
            work,
            tmp_path / "contracts",
            returns="contract: returns\nowner: r\ncolumns: {known_at: {type: datetime}}\n",
            **wrong,
        )
    where = [problem.where for problem in raised.value.problems]
    assert where[0] == "orders.yaml columns.amount.min"
    assert set(where[1:]) == {"visits.yaml contract"}
    assert contracting.current(work, "returns") == {}


def test_a_contract_that_the_source_does_not_fit_is_refused_with_its_line(
    work: Workspace, shop_path: Path, tmp_path: Path
) -> None:
    folder = write(
        tmp_path / "contracts",
        orders=ORDERS.replace("  store: {type: text, categories: [north, south, west]}", "  shop: {type: text}"),
    )
    with pytest.raises(InvalidFile) as raised:
        adopting.adopt(work, shop(), folder, SYSTEM, flow.look(shop()).columns)
    (problem,) = raised.value.problems
    assert (problem.where, problem.line) == ("columns.shop", 5)
    assert "There is no column shop" in problem.message


def test_new_rows_that_break_a_rule_that_blocks_are_refused_and_kept_as_evidence(
    work: Workspace, tmp_path: Path
) -> None:
    definition = adopt(work, tmp_path / "contracts", orders=BLOCKING)
    with (
        new_rows(work, row("o1", amount="41"), row("o2"), row("x3")) as connection,
        pytest.raises(ContractBroken) as raised,
    ):
        contracting.check_new(work, definition, "orders", connection, "new")
    error = raised.value
    assert "amount is 41 in 1 of 3 new rows: more than the 40 that its contract allows. Rows: o1." in error.message
    assert "orders@example.com" in error.repair
    assert (error.exit_code, error.status) == (1, 409)
    assert isinstance(error, SourceUnavailable), "the other sources are synced all the same"
    kept = contracting.violations(work, "returns")
    assert {(each.column, each.rule, each.severity) for each in kept} == {
        ("amount", "range", "blocks"),
        ("order_id", "pattern", "warns"),
    }
    assert kept[0].found_at == work.clock.now()


def test_what_only_warns_is_returned_and_gone_once_the_rows_are_right(work: Workspace, tmp_path: Path) -> None:
    definition = adopt(work, tmp_path / "contracts", orders=ORDERS)
    with new_rows(work, row("o1", store="east"), row("o2")) as connection:
        found = contracting.check_new(work, definition, "orders", connection, "new")
    assert [each.rule for each in found] == ["categories"]
    contracting.check_synced(work, definition, "orders", found, work.clock.now())
    (kept,) = contracting.violations(work, "returns")
    assert kept.keys == ("o1",)
    (line,) = contracting.in_words([kept])
    assert line.startswith("warns orders.store: store is 'east' in 1 of 2 new rows")
    for _ in range(3):
        with new_rows(work, row("o3")) as connection:
            found = contracting.check_new(work, definition, "orders", connection, "new")
        contracting.check_synced(work, definition, "orders", found, work.clock.now())
    assert contracting.violations(work, "returns") == ()
    assert len(evidence_history(work, "returns", "contract")) == 2, "nothing is kept of nothing again"


def test_a_value_that_must_be_unique_is_looked_for_in_the_rows_that_are_there(work: Workspace, tmp_path: Path) -> None:
    definition = adopt(
        work,
        tmp_path / "contracts",
        orders=ORDERS.replace("amount: {type: number,", "amount: {type: number, unique: true,"),
    )
    with new_rows(work, row("o1", amount="7")) as connection:
        connection.execute("CREATE TABLE kept AS SELECT * FROM new")
        connection.execute("INSERT INTO kept SELECT * REPLACE ('o9' AS order_id) FROM new")
        connection.execute("UPDATE new SET order_id = 'o2', amount = 8")
        assert contracting.check_new(work, definition, "orders", connection, "new") == ()
        (found,) = contracting.check_new(work, definition, "orders", connection, "new", "kept")
    assert (found.rule, found.keys) == ("unique", ("o1", "o9"))


def test_a_source_that_went_stale_is_said_also_when_no_row_came(
    work: Workspace, tmp_path: Path, clock: FixedClock
) -> None:
    definition = adopt(work, tmp_path / "contracts", orders="freshness: 1 day\n" + ORDERS)
    newest = clock.now() - timedelta(hours=20)
    assert contracting.check_synced(work, definition, "orders", (), newest) == ()
    clock.advance(timedelta(hours=20))
    (stale,) = contracting.check_synced(work, definition, "orders", (), newest)
    assert stale.rule == "freshness"
    definition = adopt(work, tmp_path / "contracts", orders="freshness: 1 day\n" + ORDERS + "severity: blocks\n")
    with pytest.raises(ContractBroken, match="became known 2013-12-05 00:00 UTC, 40 hours ago"):
        contracting.check_synced(work, definition, "orders", (), newest)


def test_sources_without_a_contract_and_deleted_rows_cost_nothing(work: Workspace, tmp_path: Path) -> None:
    definition = adopt(work, tmp_path / "contracts", orders=ORDERS)
    with new_rows(work, "'o1', NULL, NULL, NULL, NULL, true, '2013-12-05'") as connection:
        assert contracting.check_new(work, definition, "visits", connection, "new") == ()
        assert contracting.check_new(work, definition, "orders", connection, "new") == ()
        connection.execute("DELETE FROM new")
        assert contracting.check_new(work, definition, "orders", connection, "new") == ()


def test_before_training_the_newest_rows_count_and_corrected_ones_no_more(
    work: Workspace, shop_path: Path, tmp_path: Path, clock: FixedClock
) -> None:
    flow.sync(work, shop())
    definition = adopt(work, tmp_path / "contracts", orders=BLOCKING.replace("max: 40", "max: 58"), visits=VISITS)
    with pytest.raises(ContractBroken, match=r"amount is 59 in 1 of 60 rows.* Rows: o59\.") as raised:
        build_check(work, definition)
    assert raised.value.exit_code == 1
    adopt(work, tmp_path / "contracts", orders=BLOCKING.replace("max: 40", "max: 58"))
    newest = clock.now() - timedelta(minutes=1)
    fill(shop_path, "orders", [("o59", "north", 50.0, newest, newest)])
    flow.sync(work, definition)
    assert build_check(work, definition) == ()
    assert contracting.check_now(work, definition) == {"orders": ()}


def test_nothing_is_learned_from_a_column_whose_contract_forbids_it(
    work: Workspace, shop_path: Path, tmp_path: Path
) -> None:
    definition = adopt(work, tmp_path / "contracts", orders=ORDERS)
    flow.sync(work, definition)
    with work.database.writing() as connection:
        limited = ORDERS.replace("max: 100}", "max: 100, purposes: [inference]}")
        connection.exec_driver_sql("DELETE FROM contracts")
        contracting.store.put(connection, "returns", "orders", limited, "x", work.clock.now())
    with pytest.raises(ContractBroken) as raised:
        build_check(work, definition)
    assert "may not be used for training" in raised.value.problems[0].message
