"""The Open Data Contract Standard: in, edited and out again without losing a part, valid by its own JSON Schema."""

from __future__ import annotations

import copy
import json
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from pilotage.data.contracts.reading import parsed
from pilotage.data.contracts.records import ColumnContract, Contract
from pilotage.data.contracts.standard import Document
from pilotage.data.contracts.standard_terms import duration_of
from pilotage.data.flow import exchanging
from pilotage.platform.errors import Conflict, InvalidFile, NotFound, SettingsError
from tests.data.contracts.promises import ORDERS, contract
from tests.data.shop import shop

RICH = Path(__file__).with_name("rich.odcs.yaml")


def same(one: Any, other: Any) -> bool:
    """Whether they are the same data: 1 is not 1.0."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


@pytest.fixture(scope="module")
def rich() -> Document:
    """Servers, roles, support, price, quality rules of all types, three objects, nested properties."""
    return exchanging.read_standard(RICH)


@pytest.fixture
def made(rich: Document) -> dict[str, Contract]:
    texts, _ = exchanging.contract_texts(rich, shop())
    return {source: parsed(text, source) for source, text in texts.items()}


def out(*contracts: Contract) -> Document:
    (document,) = exchanging.standard_documents(contracts, shop()).values()
    return document


def edited(made: Contract, column: str, **changes: Any) -> Contract:
    changed = msgspec.structs.replace(made.columns[column], **changes)
    return msgspec.structs.replace(made, columns={**made.columns, column: changed})


def test_what_both_can_say_is_taken_over(made: dict[str, Contract]) -> None:
    orders = made["orders"]
    assert (orders.owner, orders.version, orders.freshness, orders.severity) == (
        "daustin",
        "1.1.0",
        "24 hours",
        "warns",
    )
    assert orders.columns == {
        "order_id": ColumnContract(type="text", required=True, unique=True, pattern="^o[0-9]+$", sensitivity="public"),
        "store": ColumnContract(
            type="text", required=True, categories=["north", "south", "west"], sensitivity="confidential"
        ),
        "amount": ColumnContract(type="number", unit="EUR", description="In euro", min=0, max=99.5),
        "placed_at": ColumnContract(type="datetime", retention="1095 days"),
        "known_at": ColumnContract(type="datetime", required=True),
        "code": ColumnContract(type="text"),
    }
    assert made["visits"].columns["grade"].pattern == "", "look-ahead is not for RE2"


def test_what_is_not_checked_is_said(rich: Document) -> None:
    _, remarks = exchanging.contract_texts(rich, shop())
    assert "orders: amount: exclusiveMaximum, format are kept, and not checked." in remarks
    assert any("grade: its pattern is not one that RE2 knows" in remark for remark in remarks)
    assert "unrelated is no source of returns: it is kept as it is." in remarks


def test_a_rich_document_survives_import_and_export_exactly(rich: Document, made: dict[str, Contract]) -> None:
    document = out(*made.values())
    assert same(document, rich)
    text = exchanging.standard_text(document)
    assert same(yaml.safe_load(text), rich), "another reader of YAML reads the same"
    assert same(json.loads(exchanging.standard_text(document, as_json=True)), rich)


def test_an_edit_changes_that_and_nothing_else(rich: Document, made: dict[str, Contract]) -> None:
    orders = edited(made["orders"], "amount", max=80.0, unit="USD", mask="hide", severity="blocks")
    orders = edited(orders, "store", categories=["north", "south"], required=False, sensitivity="personal")
    orders = edited(orders, "placed_at", retention="90 days", purposes=("training",))
    orders = edited(orders, "order_id", pattern="^p[0-9]+$", description="The order")
    orders = msgspec.structs.replace(orders, version="1.2.0", owner="mara", freshness="2 days", severity="blocks")
    wanted = copy.deepcopy(rich)
    wanted["version"] = "1.2.0"
    wanted["team"]["members"][1]["username"] = "mara"
    wanted["slaProperties"][1] |= {"value": 2, "unit": "day"}
    wanted["slaProperties"][2] |= {"value": 90, "unit": "day"}
    wanted["schema"][0]["customProperties"].append({"property": "severity", "value": "blocks"})
    order_id, store, amount, placed_at = wanted["schema"][0]["properties"][:4]
    order_id["logicalTypeOptions"]["pattern"] = "^p[0-9]+$"
    order_id["description"] = "The order"
    store["quality"][1]["arguments"]["validValues"] = ["north", "south"]
    del store["quality"][0]
    store["classification"] = "personal"
    amount["logicalTypeOptions"]["maximum"] = 80
    amount["customProperties"][0]["value"] = "USD"
    amount["customProperties"][2]["value"] = "hide"
    amount["customProperties"].append({"property": "severity", "value": "blocks"})
    placed_at["customProperties"] = [{"property": "purposes", "value": ["training"]}]
    assert same(out(orders, made["visits"]), wanted)


def test_columns_come_and_go(rich: Document, made: dict[str, Contract]) -> None:
    columns = {name: column for name, column in made["orders"].columns.items() if name != "code"}
    columns["colour"] = ColumnContract(type="text", categories=["red"], required=True)
    document = out(msgspec.structs.replace(made["orders"], columns=columns), made["visits"])
    names = [each["name"] for each in document["schema"][0]["properties"]]
    assert names == ["order_id", "shop", "amount", "placed_at", "known_at", "address", "untyped", "colour"]
    assert document["schema"][0]["properties"][-1]["quality"][0]["arguments"] == {"validValues": ["red"]}


def test_a_contract_that_came_from_nowhere_makes_a_valid_document_and_comes_back(tmp_path: Path) -> None:
    ours = contract(
        "freshness: 6 hours\n" + ORDERS.replace("max: 100}", "max: 100, unit: EUR, mask: hide, retention: 90 days}")
    )
    document = out(ours)
    assert document["schema"][0]["properties"][0]["primaryKey"] is True
    place = tmp_path / "orders.json"
    place.write_text(exchanging.standard_text(document, as_json=True))
    texts, remarks = exchanging.contract_texts(exchanging.read_standard(place), shop())
    back = parsed(texts["orders"], "orders")
    assert msgspec.structs.replace(back, standard={}) == ours
    assert remarks == ()


def test_a_document_of_one_team_list_and_no_owner_gets_the_data_owner(rich: Document) -> None:
    silent = {key: value for key, value in rich.items() if key != "team"}
    texts, _ = exchanging.contract_texts(silent, shop())
    made = [parsed(text, source) for source, text in texts.items()]
    assert made[0].owner == "data@example.com"
    assert same(out(*made), silent)
    listed = {**rich, "team": [{"username": "a", "role": "owner"}, {"username": "b"}]}
    texts, _ = exchanging.contract_texts(listed, shop())
    made = [parsed(text, source) for source, text in texts.items()]
    assert made[0].owner == "a"
    changed = [msgspec.structs.replace(each, owner="c") for each in made]
    assert out(*changed)["team"] == [{"username": "c", "role": "owner"}, {"username": "b"}]


@pytest.mark.parametrize(
    ("agreed", "wanted"),
    [
        ({"value": 4, "unit": "d"}, "4 days"),
        ({"value": "36", "unit": "Hours"}, "36 hours"),
        ({"value": 1.5, "unit": "h"}, "90 minutes"),
        ({"value": 2, "unit": "weeks"}, "14 days"),
        ({"value": 1, "unit": "y"}, "365 days"),
        ({"value": 1, "unit": "day"}, "1 day"),
        ({"value": 0.001, "unit": "h"}, None),
        ({"value": "soon", "unit": "h"}, None),
        ({"value": True, "unit": "h"}, None),
        ({"value": 3}, None),
    ],
)
def test_spans_of_time_are_read_where_they_are_of_whole_minutes(agreed: dict[str, Any], wanted: str | None) -> None:
    assert duration_of({"property": "freshness", **agreed}) == wanted


def test_what_is_no_such_document_is_said_with_line_and_column(tmp_path: Path) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(
        "apiVersion: v3.1.0\nkind: DataContract\nid: a\nversion: 1.0.0\nstatus: active\nschema:\n  - nmae: x\n"
    )
    with pytest.raises(InvalidFile) as raised:
        exchanging.read_standard(path)
    assert {problem.line for problem in raised.value.problems} == {7}
    path.write_text("kind: &a DataContract")
    with pytest.raises(InvalidFile) as raised:
        exchanging.read_standard(path)
    assert "anchor" in raised.value.problems[0].message
    for text in ("[]", "{", '{"kind": "DataContract"}', "\x00", "a: [" * 400, "{" * 100_000, '{"a":' * 100_000):
        path.write_text(text)
        with pytest.raises(InvalidFile):
            exchanging.read_standard(path)


def test_a_document_of_other_things_names_what_was_looked_for(rich: Document) -> None:
    with pytest.raises(NotFound, match="its objects are unrelated") as raised:
        exchanging.contract_texts({**rich, "schema": rich["schema"][2:]}, shop())
    assert "orders, visits, returns" in raised.value.repair


def test_an_object_is_found_by_the_name_of_its_table(rich: Document) -> None:
    schema = [{**rich["schema"][0], "name": "Purchases"}, *rich["schema"][1:]]
    texts, _ = exchanging.contract_texts({**rich, "schema": schema}, shop())
    assert set(texts) == {"orders", "visits"}
    assert same(out(*(parsed(t, s) for s, t in texts.items())), {**rich, "schema": schema})


def test_files_that_are_there_are_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "orders.yaml").write_text("mine")
    with pytest.raises(Conflict, match=r"orders\.yaml is there already"):
        exchanging.write_contracts(tmp_path, {"orders": "a", "visits": "b"}, replace=False)
    assert not (tmp_path / "visits.yaml").exists()
    exchanging.write_contracts(tmp_path, {"orders": "a", "visits": "b"}, replace=True)
    assert (tmp_path / "orders.yaml").read_text() == "a"


def test_without_the_libraries_the_repair_names_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jsonschema", None)
    with pytest.raises(SettingsError, match=r"pip install 'pilotage\[contracts\]'"):
        exchanging.read_standard(RICH)
