"""What a draft leaves out and prefers, and that its file and the command say why."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from pilotage.cli.main import run
from pilotage.data.flow.initiating import chosen, draft, tables_at
from pilotage.data.guessing.reasons import NO_CLOCK, ONLY_A_FLAG
from pilotage.platform.errors import NotFound
from pilotage.usecase.flow import parse_definition
from tests.data.sources.rest_server import serving
from tests.data.test_initiating import DAY, Captured, drafted, inputs_of


def test_numbers_among_blanks_are_read_as_numbers_and_become_an_input(tmp_path: Path) -> None:
    rows = "".join(f"A{n:05},{' ' if n % 50 == 0 else n * 1.25},{'Yes' if n % 4 == 0 else 'No'}\n" for n in range(400))
    (tmp_path / "telco.csv").write_text("customer_no,TotalCharges,Churn\n" + rows)
    found = drafted(tmp_path / "telco.csv")
    use_case = parse_definition(found.text, "case.yaml").use_case
    assert (use_case.sources["telco"].missing, inputs_of(found)) == ([" "], {"TotalCharges"})
    assert "TotalCharges: {kind: number, required: false}" in found.text


def test_why_a_column_is_sent_and_no_input_is_said_and_what_follows_once_it_is_read_as_numbers(
    tmp_path: Path, capsys: Captured
) -> None:
    rows = "".join(f"A{n:05},{'on demand' if n == 3 else n * 1.25},{n % 4 == 0}\n" for n in range(400))
    (tmp_path / "orders.csv").write_text("order_no,price,returned\n" + rows)
    assert run(["init", "--from", str(tmp_path / "orders.csv"), "--to", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "price: it is text, and another one in most rows." in said
    assert "its kind under decision.request is `number`" in said
    assert (
        "price: category  # no input: it is text, and another one in most rows"
        in (tmp_path / "orders.yaml").read_text()
    )


def test_columns_beyond_what_a_draft_takes_are_named(tmp_path: Path, capsys: Captured) -> None:
    names = [f"c{n}" for n in range(75)]
    rows = "".join(
        f"A{n:05},{n % 4 == 0},{','.join(str(n * k % 97 + 0.5) for k in range(1, 76))}\n" for n in range(200)
    )
    (tmp_path / "wide.csv").write_text(f"order_no,returned,{','.join(names)}\n{rows}")
    assert run(["init", "--from", str(tmp_path / "wide.csv"), "--to", str(tmp_path)]) == 0
    text = (tmp_path / "wide.yaml").read_text()
    assert "in all 15: a draft takes 60 columns of a row" in capsys.readouterr().out
    assert "a draft takes 60 columns of a row" in text
    assert text.count("c74") == 1


def test_without_any_date_the_command_says_at_its_end_how_a_model_can_be_trained_nevertheless(
    tmp_path: Path, capsys: Captured
) -> None:
    (tmp_path / "telco.csv").write_text(
        "no,size,churned\n" + "".join(f"A{n},{n % 9},{n % 4 == 0}\n" for n in range(300))
    )
    assert run(["init", "--from", str(tmp_path / "telco.csv"), "--to", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "`decision.judged`" in NO_CLOCK
    assert NO_CLOCK in said.partition("Guessed, and often wrong:")[2]
    assert NO_CLOCK in (tmp_path / "telco.yaml").read_text()


def test_with_a_date_nothing_is_said_of_missing_ones(tickets: Path) -> None:
    assert NO_CLOCK not in drafted(tickets).text


@pytest.fixture(scope="module")
def tickets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Orders that are mostly done, sometimes returned, seldom cancelled; returns, and customers with names."""
    path = tmp_path_factory.mktemp("tickets") / "tickets.db"
    with sqlite3.connect(path) as connection:
        connection.executescript(
            "CREATE TABLE customers (id INTEGER PRIMARY KEY, first_name TEXT, city TEXT, created_at TEXT);"
            "CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers (id), email TEXT,"
            " PhoneService TEXT, state TEXT, placed_at TEXT, updated_at TEXT);"
            "CREATE TABLE returns (id INTEGER PRIMARY KEY, order_id INTEGER REFERENCES orders (id), amount REAL,"
            " created_at TEXT);"
        )
        for n in range(1, 401):
            at = str(DAY + timedelta(hours=n))
            later = str(DAY + timedelta(hours=n + 50))
            state = "cancelled" if n % 25 == 0 else "returned" if n % 5 == 1 else "done"
            phone = "Yes" if n % 3 else "No"
            order = (n, n % 40 + 1, f"k{n % 90}@example.org", phone, state, at, later)
            connection.execute("INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?, ?)", order)
            if n <= 40:
                connection.execute("INSERT INTO customers VALUES (?, ?, ?, ?)", (n, "ABCDEFG"[n % 7], f"c{n % 5}", at))
            if n % 5 == 1:
                connection.execute("INSERT INTO returns VALUES (?, ?, ?, ?)", (n, n % 40 * 3 + 1, n * 1.5, later))
    connection.close()
    return path


def test_what_names_a_person_is_no_input_and_the_draft_says_so(tickets: Path) -> None:
    found = drafted(tickets)
    takes = [column for lookup in found.project.lookups for column in lookup.take]
    assert "email" not in inputs_of(found)
    assert "PhoneService" in inputs_of(found)
    assert ("city" in takes, "first_name" in takes) == (True, False)
    assert "left out, it names a person: nothing is learnt from it: email" in found.text
    assert "it names a person: nothing is learnt from it: customers.first_name" in found.text


def test_the_event_time_that_is_not_sent_is_listed_with_its_reason(tickets: Path) -> None:
    assert drafted(tickets).project.left_out["placed_at"].startswith("it is the event_time of the row")


def test_of_two_outcomes_that_are_named_alike_the_less_rare_comes_first(tickets: Path) -> None:
    project = drafted(tickets).project
    assert project.label.condition == "state = 'returned'"
    assert [other.condition for other in project.others] == ["state = 'cancelled'"]


def test_the_name_of_the_use_case_says_which_outcome_is_meant(tickets: Path) -> None:
    found = draft("cancelled_orders", tables_at(str(tickets), str(tickets)).tables)
    assert found.project.label.condition == "state = 'cancelled'"
    assert "the use case's name speaks of it" in found.project.label.why


def test_a_source_that_the_name_of_the_use_case_speaks_of_as_its_outcome_is_not_looked_up(tickets: Path) -> None:
    found = draft("return_cancelled", tables_at(str(tickets), str(tickets)).tables)
    assert "returns" not in {lookup.source for lookup in found.project.lookups}
    assert "# not looked up, it is named like the outcome, which it may tell: returns" in found.text


def test_a_table_is_chosen_by_the_name_that_it_has(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "odd.db") as connection:
        connection.execute('CREATE TABLE "order lines" (id INTEGER PRIMARY KEY, paid INTEGER)')
        connection.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY)")
    connection.close()
    tables = tables_at(str(tmp_path / "odd.db"), str(tmp_path / "odd.db")).tables
    for name in ("order lines", '"order lines"', "order_lines"):
        assert [table.name for table in chosen(tables, (name,))] == ["order_lines"]


def test_of_another_sheet_the_message_says_how_to_read_it(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.title = "Jobs"
    book.active.append(["job", "size"])
    book.active.append(["A1", 2])
    book.create_sheet("Machines").append(["machine"])
    book.save(tmp_path / "jobs.xlsx")
    tables = tables_at(str(tmp_path / "jobs.xlsx"), str(tmp_path / "jobs.xlsx")).tables
    with pytest.raises(NotFound) as refused:
        chosen(tables, ("Machines",))
    assert "`sheet: Machines`" in refused.value.repair


def test_a_boolean_that_no_name_speaks_for_is_a_candidate_and_the_file_says_that_only_its_form_does(
    tmp_path: Path,
) -> None:
    rows = "".join(f"A{n},{n % 9 + 0.5},{'true' if n % 4 == 0 else 'false'}\n" for n in range(300))
    (tmp_path / "parts.csv").write_text("part_no,width,checked\n" + rows)
    found = drafted(tmp_path / "parts.csv")
    assert found.project.label.condition == "checked"
    assert ONLY_A_FLAG in found.text


def test_one_source_with_two_decimal_signs_declares_none_and_says_so(tmp_path: Path, capsys: Captured) -> None:
    rows = "".join(f"A{n:04};{n % 90},{n % 7}0;48.{500 + n};{n % 3 == 0}\n" for n in range(1, 400))
    (tmp_path / "auftraege.csv").write_text("Auftrag;Betrag;lat;Storniert\n" + rows)
    assert run(["init", "--from", str(tmp_path / "auftraege.csv"), "--to", str(tmp_path), "--name", "fall"]) == 0
    source = parse_definition((tmp_path / "fall.yaml").read_text(), "fall.yaml").use_case.sources["auftraege"]
    assert source.decimal == ""
    assert "with a point in lat: a source has one decimal sign" in capsys.readouterr().out


def test_a_secret_in_the_address_of_an_endpoint_is_not_written(tmp_path: Path, capsys: Captured) -> None:
    rows = [{"id": n, "size": n % 7 + 1, "returned": n % 4 == 0} for n in range(1, 200)]
    with serving(lambda asking: asking.answer(rows)) as (address, _):
        asked = ["init", "--from", f"{address}/orders?api_key=CANARY", "--to", str(tmp_path), "--name", "fall"]
        assert run(asked) == 0
    assert "CANARY" not in (tmp_path / "fall.yaml").read_text()
    assert "CANARY" not in capsys.readouterr().out
    assert "url: env:FALL_DATABASE" in (tmp_path / "fall.yaml").read_text()


@pytest.mark.parametrize(
    ("given", "proposed"),
    [("My Price", "my_price"), ("Price", "price"), ("my-price", "my_price"), ("2nd Prüfung", "case_2nd_prufung")],
)
def test_a_name_that_no_use_case_can_have_is_refused_with_one_that_it_can(
    tmp_path: Path, capsys: Captured, given: str, proposed: str
) -> None:
    assert run(["init", "--from", str(tmp_path), "--name", given, "--to", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert "A name has lower-case letters, digits and underscores" in said
    assert f"'{given}' came." in said
    assert f"Give --name {proposed}." in said
