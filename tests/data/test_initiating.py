"""A draft of real data, from looking at it to a file that fits its own sources."""

from __future__ import annotations

import json
import socket
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pilotage.cli.main import run
from pilotage.data.flow.initiating import Draft, draft, tables_at
from pilotage.data.flow.looking import check, look
from pilotage.data.guessing.reasons import NO_OUTCOME, QUESTIONS
from pilotage.data.sources import proposing
from pilotage.platform.errors import SourceUnavailable
from pilotage.usecase.flow import parse_definition
from tests.data.sources.rest_server import Asking, serving
from tests.postgres import NoPostgres, scratch_cluster
from tests.real_data import real_data

Captured = pytest.CaptureFixture[str]
DAY = datetime(2025, 1, 1, tzinfo=UTC)


def drafted(address: Path | str) -> Draft:
    found = draft("case", tables_at(str(address), str(address)).tables)
    definition = parse_definition(found.text, "case.yaml")
    assert (
        check(definition, look(definition), "case.yaml") == []
    )  # whatever was guessed fits the data it was guessed from
    return found


def inputs_of(found: Draft) -> set[str]:
    return set(parse_definition(found.text, "case.yaml").plan.names)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four tables that all have an ``id`` of their own, in a SQLite file that is not called one."""
    path = tmp_path_factory.mktemp("shop") / "shop.bin"
    with sqlite3.connect(path) as connection:
        connection.executescript(
            "CREATE TABLE customers (id INTEGER PRIMARY KEY, city TEXT, created_at TEXT, updated_at TEXT,"
            " deleted_at TEXT);"
            "CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers (id), status TEXT,"
            " channel TEXT, total REAL, placed_at TEXT, updated_at TEXT);"
            "CREATE TABLE order_lines (id INTEGER PRIMARY KEY, order_id INTEGER REFERENCES orders (id),"
            " quantity INTEGER, created_at TEXT);"
            "CREATE TABLE returns (id INTEGER PRIMARY KEY, order_id INTEGER REFERENCES orders (id), refund REAL,"
            " created_at TEXT);"
        )
        for n in range(1, 401):
            at = DAY + timedelta(hours=n)
            gone = str(at + timedelta(days=9)) if n % 20 == 0 else None
            status = "returned" if n % 5 == 0 else "done"
            changed = str(at + timedelta(days=3))
            connection.execute(
                "INSERT INTO customers VALUES (?, ?, ?, ?, ?)", (n, f"city {n % 7}", str(at), changed, gone)
            )
            connection.execute(
                "INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?, ?)",
                (n, n % 390 + 1, status, "web" if n % 3 else "app", n * 1.5, str(at), changed),
            )
            connection.execute("INSERT INTO order_lines VALUES (?, ?, ?, ?)", (n, n, n % 4, str(at)))
            if n % 5 == 0:
                connection.execute("INSERT INTO returns VALUES (?, ?, ?, ?)", (n // 5, n, n * 1.5, changed))
    connection.close()
    return path


def test_the_ids_of_two_tables_are_not_one_entity(shop: Path) -> None:
    project = drafted(shop).project
    assert (project.decision.table.name, project.label.table) == ("orders", "orders")
    assert project.label.condition == "status = 'returned'"


def test_rows_are_found_by_the_foreign_key_that_the_database_declares(shop: Path) -> None:
    found = drafted(shop)
    looked_up = {(lookup.source, lookup.by, lookup.key) for lookup in found.project.lookups}
    assert looked_up == {("order_lines", "id", "order_id"), ("customers", "customer_id", "id")}
    assert "by: {id: order_id}  # 100 % of order_lines.order_id are found in orders.id" in found.text
    assert (
        "by: {customer_id: id}  # 100 % of orders.customer_id are found in customers.id, as the database declares"
        in found.text
    )


def test_another_row_of_the_case_itself_is_not_looked_up(tmp_path: Path) -> None:
    orders = "".join(f"A{n:05},{n % 40 + 1},2024-03-{n % 28 + 1:02} 08:00:00\n" for n in range(400))
    (tmp_path / "orders.csv").write_text("order_no,size,placed_at\n" + orders)
    ends = "".join(f"A{n:05},{n % 4 == 0},{n % 9},2024-04-{n % 28 + 1:02} 08:00:00\n" for n in range(400))
    (tmp_path / "ends.csv").write_text("order_no,returned,days,closed_on\n" + ends)
    calls = "".join(f"C{n},A{n % 400:05},{n % 5},2024-03-{n % 28 + 1:02} 09:00:00\n" for n in range(900))
    (tmp_path / "calls.csv").write_text("call_no,order_no,minutes,called_at\n" + calls)
    (tmp_path / "finals.csv").write_text(
        "order_no,days_late,closed_on\n"
        + "".join(f"A{n:05},{n % 9},2024-04-{n % 28 + 1:02} 08:00:00\n" for n in range(400))
    )
    project = drafted(tmp_path).project
    assert project.decision.table.name == "orders"
    assert {lookup.source for lookup in project.lookups} == {"calls"}


def test_what_is_named_like_the_outcome_is_not_looked_up(shop: Path) -> None:
    assert "returns" in {source.table.name for source in drafted(shop).project.sources}
    assert not any("returns" in name for name in inputs_of(drafted(shop)))


def test_when_a_row_was_changed_is_its_clock_and_no_input(shop: Path) -> None:
    found = drafted(shop)
    sources = parse_definition(found.text, "case.yaml").use_case.sources
    assert (sources["orders"].event_time, sources["orders"].known_at) == ("placed_at", "updated_at")
    assert sources["customers"].deleted == "deleted_at IS NOT NULL"
    assert not any("updated" in name or "deleted" in name for name in inputs_of(found))


def test_what_only_a_person_can_say_is_asked_and_listed(shop: Path) -> None:
    use_case = parse_definition(drafted(shop).text, "case.yaml").use_case
    assert use_case.owner == QUESTIONS["owner"]
    assert use_case.brief.kpi.endswith("?")
    assert {"owner", "brief.workflow", "brief.users", "brief.kpi", "outcome.says"} <= set(use_case.guessed)


def test_a_sqlite_file_is_known_by_its_first_bytes(shop: Path) -> None:
    assert shop.suffix == ".bin"
    assert {table.name for table in tables_at(str(shop), str(shop)).tables} >= {"orders", "customers"}


def test_measurements_are_no_key_although_no_pair_of_them_comes_twice(tmp_path: Path) -> None:
    rows = "".join(f"{n * 0.37:.2f},{n % 13 * 1.25:.2f},{n % 3}\n" for n in range(180))
    (tmp_path / "wine.csv").write_text("alcohol,malic_acid,target\n" + rows)
    project = drafted(tmp_path / "wine.csv").project
    assert project.decision.key.value == ("_row",)
    assert (project.label.kind, project.label.condition) == ("category", "CAST(target AS VARCHAR)")
    assert [other.condition for other in project.others] == ["target = 1", "target = 2", "target = 0"]


def test_a_key_of_numbers_in_a_file_is_declared_as_it_is_read(tmp_path: Path) -> None:
    rows = "".join(f"{n}.0,{n % 7},{'yes' if n % 4 else 'no'}\n" for n in range(1, 300))
    (tmp_path / "orders.csv").write_text("order_id,size,returned\n" + rows)
    assert drafted(tmp_path / "orders.csv").project.entity.value == ("order_id",)


def test_keys_of_files_that_never_meet_are_not_joined(tmp_path: Path) -> None:
    orders = "".join(f"A{n:05},C{n % 50:04},{'yes' if n % 4 else 'no'}\n" for n in range(300))
    (tmp_path / "orders.csv").write_text("order_id,customer_no,returned\n" + orders)
    for name, letter in (("customers", "C"), ("suppliers", "S")):
        rows = "".join(f"{letter}{n:04},{n % 9}\n" for n in range(49))
        (tmp_path / f"{name}.csv").write_text("customer_no,score\n" + rows)
    found = drafted(tmp_path)
    assert [lookup.source for lookup in found.project.lookups] == ["customers"]
    assert "by: customer_no  # 98.0 % of orders.customer_no are found in customers.customer_no" in found.text
    assert "suppliers.customer_no" not in found.text


def test_of_recidivism_no_column_that_is_filled_only_after_it_is_an_input() -> None:
    found = drafted(real_data("compas"))
    assert found.project.label.condition == "is_recid = 1"
    later = {"r_offense_date_weekday", "r_charge_desc", "two_year_recid", "is_violent_recid", "vr_charge_degree"}
    assert not later & inputs_of(found)
    assert parse_definition(found.text, "case.yaml").use_case.groups == ["sex", "age_cat", "race"]
    assert not {"race", "first", "last"} & inputs_of(found)
    assert found.project.left_out["last"] == "it names a person: nothing is learnt from it"


def test_of_mails_the_folder_that_tells_spam_is_no_input() -> None:
    found = drafted(real_data("spam_assassin"))
    assert found.project.label.condition == "spam"
    assert not {"folder", "spam"} & inputs_of(found)


def test_where_nothing_looks_like_an_outcome_the_command_and_the_file_say_so(tmp_path: Path, capsys: Captured) -> None:
    rows = "".join(f"{n},{n % 17 + 0.5}\n" for n in range(300))
    (tmp_path / "sizes.csv").write_text("id,width\n" + rows)
    assert run(["init", "--from", str(tmp_path / "sizes.csv"), "--to", str(tmp_path)]) == 0
    assert NO_OUTCOME in capsys.readouterr().out
    assert NO_OUTCOME in (tmp_path / "sizes.yaml").read_text()


def test_the_command_says_what_was_guessed_in_groups(shop: Path, tmp_path: Path, capsys: Captured) -> None:
    assert run(["init", "--from", str(shop), "--to", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    parts = [
        "To predict, as guessed: orders: status = 'returned'",
        "Only a person can say:",
        "Guessed, and often wrong:",
    ]
    assert [part in said for part in parts] == [True, True, True]
    assert said.index("Only a person can say:") < said.index("decision.moment: rows of orders are overwritten")
    assert run(["init", "--from", str(shop), "--to", str(tmp_path / "again"), "--json"]) == 0
    assert "use_case: shop" in json.loads(capsys.readouterr().out)["text"]


def test_an_outcome_in_another_language_is_seen(tmp_path: Path) -> None:
    rows = "".join(f"A{n:05};{n % 40};{'ja' if n % 4 == 0 else 'nein'}\n" for n in range(300))
    (tmp_path / "auftraege.csv").write_text("Auftrag;Menge;Verspätet\n" + rows)
    label = drafted(tmp_path / "auftraege.csv").project.label
    assert (label.condition, label.named) == ("Verspätet = 'ja'", True)


ROWS = [{"id": n, "size": n % 7 + 1, "returned": n % 4 == 0} for n in range(1, 241)]


def _paged(asking: Asking) -> None:
    page, size = int(asking.parameters.get("page", 1)), int(asking.parameters.get("per_page", 100))
    rows = ROWS[(page - 1) * size : page * size]
    asking.answer({"data": rows, "meta": {"page": page, "per_page": size, "total_pages": -(-len(ROWS) // size)}})


def test_an_endpoint_that_pages_by_number_becomes_a_source() -> None:
    with serving(_paged) as (address, _):
        found = drafted(f"{address}/v1/orders")
    source = parse_definition(found.text, "case.yaml").use_case.sources["orders"]
    assert source.rest is not None
    assert (source.rest.items, source.rest.paging, source.rest.size_parameter) == ("data", "page", "per_page")
    assert found.project.label.condition == "returned"
    assert found.project.decision.table.sampled == 240


def test_a_web_page_is_no_source_and_the_message_says_what_is(capsys: Captured) -> None:
    with serving(lambda asking: asking.answer(b"<html></html>", kind="text/html")) as (address, _):
        assert run(["init", "--from", f"{address}/orders"]) == 2
    said = capsys.readouterr().err
    assert "is no JSON" in said
    assert "a folder, a database, or a bucket" in said


def test_a_server_that_says_nothing_is_given_up_in_time(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    monkeypatch.setattr(proposing, "_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"http://127.0.0.1:{listening.getsockname()[1]}/orders"
        assert run(["init", "--from", address]) == 2
    assert "Source orders does not answer" in capsys.readouterr().err


def test_a_user_that_could_write_is_refused_in_the_words_of_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("psycopg")
    try:
        with scratch_cluster() as address, pytest.raises(SourceUnavailable) as refused:
            tables_at(address.replace("+psycopg", ""), "env:DB")
    except NoPostgres as missing:
        pytest.skip(f"NO POSTGRESQL: {missing}")
    assert "--accept-writer" in refused.value.repair
    assert "accept_writer: true" not in refused.value.repair


def test_numbers_with_a_decimal_comma_and_marks_for_nothing_are_read_as_such_and_the_file_says_so(
    tmp_path: Path, capsys: Captured
) -> None:
    rows = "".join(
        f"A{n:05};{n % 40},{n % 7}0;{'NA' if n % 9 == 0 else n};{n % 28 + 1:02}.03.2024;"
        f"{'ja' if n % 4 == 0 else 'nein'}\n"
        for n in range(1, 400)
    )
    (tmp_path / "auftraege.csv").write_text("Auftrag;Betrag;Menge;Datum;Storniert\n" + rows)
    assert run(["init", "--from", str(tmp_path / "auftraege.csv"), "--to", str(tmp_path), "--name", "fall"]) == 0
    text = (tmp_path / "fall.yaml").read_text()
    source = parse_definition(text, "fall.yaml").use_case
    assert (source.sources["auftraege"].decimal, source.sources["auftraege"].missing) == (",", ["NA"])
    assert {"sources.auftraege.decimal", "sources.auftraege.missing"} <= set(source.guessed)
    assert "Betrag: number" in text
    assert "Menge: {kind: number, required: false}" in text
    capsys.readouterr()
    assert run(["check", str(tmp_path / "fall.yaml")]) == 0


def test_an_address_without_a_password_is_no_secret(shop: Path, tmp_path: Path) -> None:
    from pilotage.data.init_commands import _reference

    assert _reference("postgresql://reader@db/shop", "postgresql://reader@db/shop", "shop").startswith("postgresql")
    assert _reference("postgresql://r:x@db/shop", "postgresql://r:x@db/shop", "shop") == "env:SHOP_DATABASE"
