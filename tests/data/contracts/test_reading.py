"""Contract files: all mistakes at once, each with line and column, and scalars that stay what they are."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from pilotage.data.contracts.consistency import against_source, against_use_case, warnings
from pilotage.data.contracts.reading import read
from pilotage.data.contracts.records import ColumnContract, Contract
from pilotage.data.contracts.rendering import rendered
from pilotage.data.contracts.schema import json_schema
from pilotage.data.records import FoundColumn
from tests.data.contracts.promises import ORDERS, contract, mistakes
from tests.data.shop import TEXT, shop

ROOT = Path(__file__).parents[3]


def test_a_contract_is_read_with_its_defaults() -> None:
    found = contract(ORDERS)
    assert (found.severity, found.freshness, found.version) == ("warns", None, "1.0.0")
    assert found.columns["amount"].purposes == ("training", "inference", "logging", "debugging")
    assert found.columns["store"].categories == ["north", "south", "west"]


def test_all_mistakes_are_named_at_once_with_line_and_column() -> None:
    text = (
        "contract: Orders\n"
        "owner: o@example.com\n"
        "columns:\n"
        "  amount: {type: number, min: 5, max: 1}\n"
        "  store: {type: text, min: 3, categories: [a, a]}\n"
        "  order_id: {type: text, pattern: '(?=a)b', purpose: [training]}\n"
        "  at: {type: datetime, pattern: x, purposes: [sale], retention: 3 years}\n"
    )
    found = {(p.where, p.line) for p in mistakes(text)}
    assert found == {
        ("contract", 1),
        ("columns.amount.min", 4),
        ("columns.store.min", 5),
        ("columns.store.categories", 5),
        ("columns.order_id.pattern", 6),
        ("columns.order_id.purpose", 6),
        ("columns.at.pattern", 7),
        ("columns.at.purposes[0]", 7),
        ("columns.at.retention", 7),
    }
    (pattern,) = [p for p in mistakes(text) if p.where == "columns.order_id.pattern"]
    assert "(?=" in pattern.message
    assert "RE2" in pattern.repair


@pytest.mark.parametrize("text", ["", "contract: a", "a: [", "- x", "contract: {a: &b 1}", "columns: {}", "x" * 2000])
def test_whatever_stands_in_the_file_is_a_mistake_and_no_defect(text: str) -> None:
    assert mistakes(text)


def test_a_limit_beyond_all_numbers_is_a_mistake() -> None:
    assert "beyond all numbers" in mistakes(ORDERS.replace("max: 100", "max: 1e999"))[0].message


def test_what_is_kept_of_a_standard_stays_exact() -> None:
    kept = {"a": [1, 1.0, "1", None, True, "true", "NO", "0123", "2024-01-01", "~", {}, [], {"b": [{"c": "x: y"}]}]}
    columns = {
        "select": ColumnContract(type="text", categories=["", "NO", "0123", "a\nb", "😀", "\u2028", "\x00", "#x"]),
        'x"; DROP TABLE y': ColumnContract(type="number", min=-1e22, max=0.1),
        "a b.c 😀": ColumnContract(type="text", pattern=r"^\d+\.[A-Z]{2}$", description="two\nlines: # here"),
    }
    made = Contract(contract="odd", owner="o", columns=columns, standard=kept)
    text = rendered(made, {("columns", "select", "categories"): "all of\nthem"})
    again = read(text)
    assert again.mistakes == ()
    assert again.contract == made
    assert json.dumps(again.contract.standard) == json.dumps(kept)
    assert "# all of them" in text


def test_a_contract_names_a_source_of_the_use_case() -> None:
    (mistake,) = against_use_case(contract(ORDERS.replace("contract: orders", "contract: order")), shop())
    assert "Did you mean orders?" in mistake.message


def test_a_column_that_is_used_must_allow_that_and_the_input_is_named() -> None:
    limited = ORDERS.replace("max: 100}", "max: 100, purposes: [inference, logging]}")
    (mistake,) = against_use_case(contract(limited), shop())
    assert mistake.path == ("columns", "amount", "purposes")
    assert "request column amount" in mistake.message
    assert "training" in mistake.message
    assert "decision.request.amount" in mistake.repair
    visits = contract("contract: visits\nowner: v\ncolumns: {score: {type: number, purposes: [debugging]}}\n")
    said = [each.message for each in against_use_case(visits, shop())]
    assert any("taken by input last_score" in each for each in said)
    assert any("taken by input visit_sum" in each for each in said)
    returns = contract("contract: returns\nowner: v\ncolumns: {returned: {type: number, purposes: [inference]}}\n")
    assert "read by the outcome" in next(against_use_case(returns, shop())).message
    renamed = TEXT.replace("    amount: number\n", "    amount: {kind: number, column: price}\n")
    priced = ORDERS.replace("  amount: {type: number, min: 0, max: 100}", "  price: {type: number, purposes: []}")
    assert [m.path[1] for m in against_use_case(contract(priced), shop(renamed))] == ["price"]


def test_types_are_held_against_the_columns_that_the_source_has() -> None:
    found = (
        FoundColumn("order_id", "number", "BIGINT"),
        FoundColumn("store", "text", "VARCHAR"),
        FoundColumn("amount", "text", "VARCHAR"),
        FoundColumn("placed_at", "datetime", "TIMESTAMP"),
    )
    promised = contract(ORDERS)
    said = {mistake.path: mistake.message for mistake in against_source(promised, found)}
    assert set(said) == {("columns", "order_id", "type"), ("columns", "known_at")}
    assert "is a number; its contract says text" in said[("columns", "order_id", "type")]
    assert [name for name, _ in warnings(promised, found)] == ["held-otherwise"]


def test_personal_data_without_a_mask_is_warned_of() -> None:
    promised = contract("contract: a\nowner: b\ncolumns: {mail: {type: text, sensitivity: personal}}\n")
    ((name, mistake),) = warnings(promised)
    assert name == "unmasked-personal-data"
    assert "mask: partial or hide" in mistake.repair


def test_the_schema_beside_the_example_is_the_one_that_the_command_prints() -> None:
    kept = json.loads((ROOT / "examples" / "dispatch" / "contract.schema.json").read_text())
    assert kept == json.loads(msgspec.json.encode(json_schema())), (
        "run: pilotage schema contract > examples/dispatch/contract.schema.json"
    )
