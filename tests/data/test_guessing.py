"""A first project guessed from what tables look like: keys, clocks, labels, and a file that our own reader accepts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pilotage.data.guessing.clocks import clocks_of
from pilotage.data.guessing.groups import names_a_person
from pilotage.data.guessing.keys import by_fitness, key_of
from pilotage.data.guessing.labels import labels_of
from pilotage.data.guessing.naming import column_text, request_name
from pilotage.data.guessing.project import Project, proposed
from pilotage.data.guessing.records import Link, SeenColumn, SeenTable
from pilotage.data.guessing.words import words
from pilotage.data.guessing.writing import scalar, text_of
from pilotage.data.records import ColumnType
from pilotage.platform.errors import NotFound
from pilotage.usecase.flow import parse_definition

ROWS = 1000
DAY = datetime(2024, 1, 1, tzinfo=UTC)


def column(name: str, type_: ColumnType = "text", distinct: int = 500, **more: object) -> SeenColumn:
    dated = {"first": DAY, "last": DAY + timedelta(days=90)} if type_ == "datetime" else {}
    return SeenColumn(name, type_, **{"filled": ROWS, "distinct": distinct, **dated, **more})  # type: ignore[arg-type]


def table(name: str, *columns: SeenColumn, **more: object) -> SeenTable:
    given = {"place": {"files": f"{name}.csv"}, "sampled": ROWS, "whole": True, **more}
    return SeenTable(name=name, columns=columns, **given)  # type: ignore[arg-type]


def guessed(*tables: SeenTable, links: tuple[Link, ...] = ()) -> Project:
    return proposed("shop", tables, labels_of(tables), links)


def test_a_declared_key_goes_before_one_that_was_only_seen() -> None:
    seen = table("orders", column("id"), unique=(("id",),), primary_key=("number",))
    key = key_of(seen)
    assert key is not None
    assert (key.value, "declares" in key.why) == (("number",), True)


def test_keys_named_like_the_table_come_first() -> None:
    assert by_fitness([("price",), ("customer_id",), ("order_id",)], "orders")[0] == ("order_id",)
    assert by_fitness([("a", "b"), ("note",)], "orders")[0] == ("note",)


def test_files_without_a_key_are_told_apart_by_row_and_tables_are_left_out() -> None:
    in_files = key_of(table("calls", column("age")))
    assert in_files is not None and in_files.value == ("_row",)
    assert key_of(table("calls", column("age"), place={"database": "env:DB", "table": "calls"})) is None


def test_the_clock_of_writing_is_told_from_that_of_happening() -> None:
    clocks = clocks_of(table("orders", column("created_at", "datetime"), column("OrderDate", "datetime")))
    assert clocks is not None
    assert [guess.value[0] for guess in clocks] == ["OrderDate", "created_at"]


def test_one_clock_stands_for_both_and_says_so() -> None:
    clocks = clocks_of(table("orders", column("InvoiceDate", "datetime")))
    assert clocks is not None
    assert clocks[0].value == clocks[1].value == ("InvoiceDate",)
    assert "no column says when a row was written" in clocks[1].why


@pytest.mark.parametrize("name", ["date_of_birth", "valid_until", "expiry_date"])
def test_dates_that_are_properties_are_no_clocks(name: str) -> None:
    assert clocks_of(table("people", column(name, "datetime"))) is None


def test_columns_that_are_often_empty_are_no_clocks() -> None:
    assert clocks_of(table("orders", column("shipped_at", "datetime", filled=700))) is None


def test_labels_are_ranked_by_name_and_shape() -> None:
    churned = column("churned", distinct=2, common=(("no", 900), ("yes", 100)))
    status = column("status", distinct=3, common=(("paid", 600), ("open", 300), ("returned", 100)))
    found = labels_of(
        (table("orders", status, column("vip", "flag", 2, common=(("false", 990), ("true", 10))), churned),)
    )
    assert [label.condition for label in found] == ["churned = 'yes'", "status = 'returned'", "vip"]
    assert found[0].share == pytest.approx(0.1)


def test_of_two_values_without_telling_words_the_rarer_is_the_event() -> None:
    gone = column("outcome", distinct=2, common=(("B", 800), ("A", 200)))
    assert labels_of((table("cases", gone),))[0].condition == "outcome = 'A'"


def test_awkward_names_are_quoted_in_expressions() -> None:
    assert column_text("late") == "late"
    assert column_text("Customer ID") == '"Customer ID"'
    assert column_text("select") == '"select"'
    assert column_text('a"b') == '"a""b"'


def test_names_are_split_into_words() -> None:
    assert words("OrderDate") == words("order_date") == words("Order Date") == ["order", "date"]


def test_request_names_fit_and_are_never_taken_twice() -> None:
    assert request_name("Customer ID", set()) == "customer_id"
    assert request_name("amount", {"amount"}) == "amount_2"
    assert request_name("label", set()) == "label_2"
    assert request_name("2nd", set()).startswith("column_2")
    assert request_name("größe 😀", set())[0].isalpha()


AWKWARD = table(
    "Sales",
    column("Invoice No", distinct=ROWS),
    column("Größe: in cm", "number", 50, lowest=1.0, highest=2.0, middle=1.5),
    column("# note", distinct=900),
    column("yes", distinct=2, common=(("n", 900), ("y", 100))),
    column("select", "flag", 2, common=(("true", 500), ("false", 500))),
    column('x"; DROP TABLE y', "number", 9),
    column("Invoice Date", "datetime", 700),
    column("empty", filled=0, distinct=0),
    unique=(("Invoice No",),),
)


def test_the_file_of_a_table_with_awkward_names_is_read_by_our_own_reader() -> None:
    seen = SeenTable(**{f: getattr(AWKWARD, f) for f in AWKWARD.__struct_fields__} | {"name": "sales"})
    definition = parse_definition(text_of(guessed(seen)), "shop.yaml")
    request = definition.plan.request
    assert definition.use_case.decision.entity == "Invoice No"
    assert request["grosse_in_cm"].column == "Größe: in cm"
    assert definition.use_case.outcome.positive == '"select"'
    assert set(definition.use_case.guessed) >= {"sources.sales.key", "outcome.positive", "decision.request"}
    assert not any(c.column == "empty" for c in request.values())


def test_nothing_that_looks_like_an_outcome_still_gives_a_file_that_says_so() -> None:
    seen = table("measures", column("id"), column("length", "number", 80, middle=3.0), unique=(("id",),))
    project = guessed(seen)
    assert project.label.condition == "length > 3"
    assert "only stands in" in project.label.why
    parse_definition(text_of(project), "shop.yaml")


def test_the_earliest_table_with_the_same_key_is_decided_about() -> None:
    def dated(name: str, day: int, *columns: SeenColumn) -> SeenTable:
        when = column("at", "datetime", first=DAY + timedelta(days=day), last=DAY + timedelta(days=day + 90))
        return table(name, column("order_id", distinct=ROWS), when, *columns, unique=(("order_id",),))

    returned = column("returned", distinct=2, common=(("no", 900), ("yes", 100)))
    stores = table("stores", column("store", distinct=40), column("area", "number", 30), unique=(("store",),))
    met = Link("returns", "order_id", "orders", "order_id", share=1.0)
    area = Link("orders", "store", "stores", "store", share=0.982)
    orders = dated("orders", 0, column("store", distinct=40))
    project = guessed(dated("returns", 5, returned), orders, stores, links=(met, area))
    assert (project.label.table, project.decision.table.name) == ("returns", "orders")
    assert [(lookup.source, lookup.by, lookup.take) for lookup in project.lookups] == [("stores", "store", ("area",))]
    definition = parse_definition(text_of(project), "shop.yaml")
    assert "stores_by_store_area" in definition.plan.names
    assert "by: store  # 98.2 % of orders.store are found in stores.store" in text_of(project)


def test_a_row_written_after_it_happened_is_decided_about_when_it_is_there() -> None:
    written = column("recorded_at", "datetime", last=DAY + timedelta(days=91))
    project = guessed(table("calls", column("id"), column("called", "datetime"), written, unique=(("id",),)))
    assert project.moment == "recorded_at"
    assert parse_definition(text_of(project), "shop.yaml").plan.moment == "recorded_at"


def test_without_any_rows_and_keys_there_is_nothing_to_guess_from() -> None:
    empty = table("orders", column("id", filled=0, distinct=0), sampled=0, primary_key=("id",))
    with pytest.raises(NotFound, match="no case could be told from another"):
        guessed(empty)


@pytest.mark.parametrize(
    "text", ["plain text", "yes", "a: b", "# x", 'say "x"', "", " padded ", "ends:", "ä", "1", "{a}"]
)
def test_every_text_comes_back_from_yaml_as_it_was(text: str) -> None:
    import yaml

    assert yaml.safe_load(f"key: {scalar(text)}")["key"] == text


@pytest.mark.parametrize("name", ["Scrap?", "chargeback", "no_show", "DropOut", "sla_breach", "defect", "open_dispute"])
def test_more_words_name_an_outcome(name: str) -> None:
    seen = table("jobs", column(name, distinct=2, common=(("N", 900), ("Y", 100))))
    (label,) = labels_of((seen,))
    assert label.named
    assert label.condition.endswith("= 'Y'")


def test_a_boolean_without_a_telling_name_is_offered_after_the_named_ones() -> None:
    flag = column("checked", "flag", 2, common=(("false", 600), ("true", 400)))
    scrap = column("scrap", distinct=2, common=(("N", 900), ("Y", 100)))
    project = guessed(table("jobs", column("id"), flag, scrap, unique=(("id",),)))
    assert project.label.condition == "scrap = 'Y'"
    assert [other.condition for other in project.others] == ["checked"]


@pytest.mark.parametrize(
    ("name", "distinct", "is_one"),
    [
        *(("first_name", 300, True), ("customerName", 300, True), ("Email", 300, True), ("home_phone", 300, True)),
        *(("PhoneService", 2, False), ("phone", 2, False), ("product_name", 300, False), ("postal_code", 300, False)),
    ],
)
def test_what_names_a_person_is_told_by_its_name_and_its_values(name: str, distinct: int, is_one: bool) -> None:
    assert names_a_person(column(name, distinct=distinct)) is is_one


def test_the_name_of_a_use_case_makes_no_outcome_of_any_value_that_it_meets() -> None:
    channel = column("channel", distinct=2, common=(("web", 600), ("shop", 400)))
    status = column("status", distinct=2, common=(("done", 800), ("returned", 200)))
    labels = labels_of((table("orders", channel, status),), "shop")
    assert [label.condition for label in labels if label.named] == ["status = 'returned'"]
    (vip,) = labels_of((table("people", column("vip_level", distinct=2, common=(("a", 600), ("b", 400)))),), "level")
    assert (vip.named, vip.meant) == (True, False)
