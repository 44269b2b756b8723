"""Dates, decimal commas and marks of missing values: read where it is certain or declared, told where it is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from pilotage.data import sources
from pilotage.data.sources.remarks import Remark, options, remarked
from pilotage.platform.engine import analytical
from pilotage.platform.errors import SourceUnavailable
from tests.data.sources.asking import asked_for, column_of, failure_of, naive, rows_of, table_of, types_of
from tests.data.sources.test_excel import workbook
from tests.real_data import real_data

SHOP = 'id;land;preis;menge\n007;NA;"1.234,56";1\n008;DE;12,5;NA\n009;AT;-0,75;3\n010;CH;NA;\n'


def csv(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def remarks_on(path: Path, **declared: object) -> tuple[Remark, ...]:
    asked = asked_for(path, key=["_row"], **declared)
    with analytical() as engine:
        engine.register("seen", table_of(asked))
        return remarked(engine, "seen", sources.introspect(asked))


def test_dates_are_found_in_columns_that_are_no_clocks_and_their_form_is_said(tmp_path: Path) -> None:
    path = csv(tmp_path / "a.csv", "id,at,due\n1,25.12.2013 10:30,2013/12/24\n2,01.02.2013 11:00,\n")
    found = {column.name: column for column in sources.introspect(asked_for(path))}
    assert (found["at"].type, found["at"].written) == ("datetime", "DD.MM.YYYY")
    assert found["due"].written == "YYYY/MM/DD"
    assert found["id"].written == ""
    assert column_of(asked_for(path), "at") == [naive(2013, 12, 25, 10, 30), naive(2013, 2, 1, 11)]


def test_dates_are_found_in_json_and_in_cells_of_text(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"id":"1","at":"25.12.2013"}\n{"id":"2","at":null}\n')
    assert column_of(asked_for(tmp_path / "a.jsonl"), "at") == [naive(2013, 12, 25), None]
    path = workbook(tmp_path / "a.xlsx", {"S": [["id", "at"], ["01", "25.12.2013"], ["02", "1.2.2013"]]})
    assert column_of(asked_for(path), "at") == [naive(2013, 12, 25), naive(2013, 2, 1)]


def test_a_decimal_comma_and_marks_are_read_only_where_they_are_declared(tmp_path: Path) -> None:
    path = csv(tmp_path / "a.csv", SHOP)
    assert types_of(asked_for(path)) == {"id": "VARCHAR", "land": "VARCHAR", "preis": "VARCHAR", "menge": "VARCHAR"}
    declared = asked_for(path, decimal=",", missing=["NA"])
    assert rows_of(declared) == [
        {"id": "007", "land": "NA", "preis": 1234.56, "menge": 1},
        {"id": "008", "land": "DE", "preis": 12.5, "menge": None},
        {"id": "009", "land": "AT", "preis": -0.75, "menge": 3},
        {"id": "010", "land": "CH", "preis": None, "menge": None},
    ]


@pytest.mark.parametrize(
    ("decimal", "values", "found"),
    [
        (",", ["1.234", "2.345"], [1234.0, 2345.0]),
        (",", ["48.123", "11.5"], ["48.123", "11.5"]),
        (",", ["1 234,5", "1'234,5", "1\u00a0234,5"], [1234.5] * 3),
        (",", ["007,5", "1,5"], ["007,5", "1,5"]),
        (",", ["1.23.456,5", "1,5"], ["1.23.456,5", "1,5"]),
        (".", ["1,234.56", "-1,234,567"], [1234.56, -1234567.0]),
        ("", ["1,234.56", "2"], ["1,234.56", "2"]),
        (",", ["12", "13"], [12, 13]),
    ],
)
def test_numbers_with_a_declared_decimal_sign(
    tmp_path: Path, decimal: str, values: list[str], found: list[object]
) -> None:
    path = csv(tmp_path / "a.csv", "id;x\n" + "".join(f'k{n};"{text}"\n' for n, text in enumerate(values)))
    assert column_of(asked_for(path, decimal=decimal, delimiter=";"), "x") == found


def test_json_and_workbooks_take_the_same_declarations(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"id":"1","x":"1.234,5","n":1.234}\n{"id":"2","x":"NA","n":2.345}\n')
    found = rows_of(asked_for(tmp_path / "a.jsonl", decimal=",", missing=["NA"]))
    assert [(row["x"], row["n"]) for row in found] == [(1234.5, 1.234), (None, 2.345)]
    cells = [["id", "x", "y"], ["01", "1,5", 3], ["02", "-", "-"], ["03", "2,5", 4]]
    path = workbook(tmp_path / "a.xlsx", {"S": cells})
    found = rows_of(asked_for(path, decimal=",", missing=["-"]))
    assert [(row["x"], row["y"]) for row in found] == [(1.5, 3), (None, None), (2.5, 4)]
    assert types_of(asked_for(path)) == {"id": "VARCHAR", "x": "VARCHAR", "y": "VARCHAR"}


def test_a_value_that_fits_no_more_is_an_error_and_never_another_number(tmp_path: Path) -> None:
    path = csv(tmp_path / "a.csv", "id;x\n1;1,5\n")
    asked = asked_for(path, decimal=",", delimiter=";")
    columns = sources.introspect(asked)
    csv(path, "id;x\n1;1,5\n2;oops\n")
    with pytest.raises(SourceUnavailable, match="does not fit its column"):
        list(sources.read(asked, columns, sources.Span()))


def test_what_would_be_read_is_told_with_the_option_to_declare(tmp_path: Path) -> None:
    told = {remark.column: remark for remark in remarks_on(csv(tmp_path / "a.csv", SHOP))}
    assert set(told) == {"preis", "menge"}
    assert told["preis"].says == (
        "All values of preis are numbers written with a decimal comma, besides NA; "
        'say `decimal: ","` and `missing: ["NA"]` to read them so.'
    )
    assert options(tuple(told.values())) == (",", ("NA",))


def test_a_share_is_told_with_the_values_that_are_in_the_way(tmp_path: Path) -> None:
    rows = "".join(f"{n};{n},25;{n:05d}\n" for n in range(1, 99))
    (told,) = remarks_on(csv(tmp_path / "a.csv", f"id;x;code\n{rows}99;auf Anfrage;10000\n"))
    assert told.says.startswith("98.9 % of the values of x are numbers written with a decimal comma; say")
    assert told.says.endswith('correct the others, or list them under `missing`: "auf Anfrage".')
    assert options((told,)) == ("", ())


def test_thousands_or_thousandths_and_day_or_month_are_not_guessed(tmp_path: Path) -> None:
    path = csv(tmp_path / "a.csv", "id;x;at\n1;1,234;01/02/2013\n2;5,678;03/04/2013\n")
    (told,) = remarks_on(path)
    assert "DD/MM/YYYY" in told.says
    assert "MM/DD/YYYY" in told.says
    assert not told.sure
    assert types_of(asked_for(path))["at"] == "VARCHAR"
    assert "all fit both" in failure_of(asked_for(path, known_at="at", event_time="at"))


def test_a_key_of_fractions_has_the_type_that_its_column_would_have_anyway(tmp_path: Path) -> None:
    from sklearn.datasets import load_wine

    load_wine(as_frame=True).frame.to_csv(tmp_path / "wine.csv", index=False)
    without = types_of(asked_for(tmp_path / "wine.csv", key=[]))
    assert types_of(asked_for(tmp_path / "wine.csv", key=["ash", "flavanoids"])) == without
    assert without["ash"] == "DOUBLE"
    path = csv(tmp_path / "b.csv", "ash,n\n1.1,1\n1.10,2\n")
    assert types_of(asked_for(path, key=["ash"]))["ash"] == "VARCHAR"
    assert types_of(asked_for(path, key=["n"]))["ash"] == "DOUBLE"


def test_real_calls_of_a_bank_have_nothing_to_remark(tmp_path: Path) -> None:
    with analytical() as engine:
        target = tmp_path / "calls.csv"
        engine.execute(f"COPY (FROM '{real_data('bank_full')}' LIMIT 5000) TO '{target}' (DELIMITER ';')")
    assert remarks_on(target) == ()
