"""Workbooks: what a sheet shows is what comes out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openpyxl
import pytest

from pilotage.data.sources.files import describe, excel
from tests.data.sources.asking import asked_for, failure_of, naive, rows_of, types_of


def workbook(path: Path, sheets: dict[str, list[list[Any]]]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def test_identifiers_kept_as_text_stay_text_and_mixed_columns_read_as_they_show(tmp_path: Path) -> None:
    at = naive(2013, 1, 1, 10, 30)
    rows: list[list[Any]] = [
        [],
        [None, "id", "n", "price", "mixed", "at", "flag"],
        [None, "00123", 1, 1.5, 5, at, True],
        [None, "00124", 2, 2, "none", None, False],
        [],
        [None, "00125", None, None, 2.25, at, None],
    ]
    path = workbook(tmp_path / "a.xlsx", {"Orders": rows})
    assert types_of(asked_for(path)) == {
        "id": "VARCHAR", "n": "BIGINT", "price": "DOUBLE", "mixed": "VARCHAR", "at": "TIMESTAMP", "flag": "BOOLEAN",
    }  # fmt: skip
    assert rows_of(asked_for(path)) == [
        {"id": "00123", "n": 1, "price": 1.5, "mixed": "5", "at": at, "flag": True},
        {"id": "00124", "n": 2, "price": 2.0, "mixed": "none", "at": None, "flag": False},
        {"id": "00125", "n": None, "price": None, "mixed": "2.25", "at": at, "flag": None},
    ]


def test_the_sheet_is_chosen_by_name_and_another_is_refused_with_those_there_are(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", {"Notes": [["id"], ["n"]], "Orders 2013": [["id"], ["o"]]})
    assert rows_of(asked_for(path)) == [{"id": "n"}]
    assert rows_of(asked_for(path, sheet="Orders 2013")) == [{"id": "o"}]
    assert "It has Notes, Orders 2013." in failure_of(asked_for(path, sheet="Orders"))


def test_workbooks_of_one_pattern_agree_on_types(tmp_path: Path) -> None:
    workbook(tmp_path / "a.xlsx", {"S": [["id", "x"], [1, 5]]})
    workbook(tmp_path / "b.xlsx", {"S": [["x", "id"], ["007", 2]]})
    found = sorted(rows_of(asked_for(tmp_path / "*.xlsx")), key=lambda row: row["id"])
    assert found == [{"id": 1, "x": "5"}, {"id": 2, "x": "007"}]


def test_a_workbook_that_is_empty_broken_or_too_large_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "a.xlsx: its first sheet is empty" in failure_of(asked_for(workbook(tmp_path / "a.xlsx", {"S": []})))
    (tmp_path / "b.xlsx").write_bytes(b"no workbook")
    assert "b.xlsx is no workbook" in failure_of(asked_for(tmp_path / "b.xlsx"))
    path = workbook(tmp_path / "c.xlsx", {"S": [["id"], [1]]})
    monkeypatch.setattr(excel, "BYTES_MAX", 100)
    assert "100 are the most for a workbook" in failure_of(asked_for(path))


def test_a_title_above_the_header_is_left_out_and_the_row_of_the_header_is_said(tmp_path: Path) -> None:
    table: list[list[Any]] = [
        ["Auftrag", "Kunde", "Betrag"],
        ["A1", "0001", 5.5],
        ["A2", "0002", 7],
        ["Summe", None, 9],
    ]
    title: list[list[Any]] = [["Auftragsliste 2025"], ["Stand", "30.10."], []]
    path = workbook(tmp_path / "a.xlsx", {"Aufträge": [*title, *table], "Kunden": [["Kunde", "Ort"], ["0001", "Köln"]]})
    assert types_of(asked_for(path)) == {"Auftrag": "VARCHAR", "Kunde": "VARCHAR", "Betrag": "DOUBLE"}
    assert len(rows_of(asked_for(path))) == 3
    (described,) = describe(str(path))
    assert described.notes == (
        "the columns' names are those of row 4; what stands above it is left out",
        "only the sheet Aufträge is read; not read: Kunden (a source of its own reads one with `sheet`)",
    )


@pytest.mark.parametrize(
    "rows",
    [
        [["id"], ["a"], ["b"]],
        [[None, "n"], [0, 5], [1, 6]],
        [["id", "n", "x", "y"], ["a", 1, None, None], ["b", 2, None, None]],
        [["id", None, None, None], ["a", 1, 2, 3], ["b", 2, 3, 4]],
        [["id", "name"], ["a", "b"]],
    ],
)
def test_a_header_is_never_taken_for_a_title(rows: list[list[Any]]) -> None:
    assert excel.titles([["" if cell is None else cell for cell in row] for row in rows]) == 0


def test_a_number_that_is_listed_as_missing_is_so_in_a_workbook_too(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", {"A": [["id", "n"], ["a", 5.5], ["b", -1], ["c", 7]]})
    assert [row["n"] for row in rows_of(asked_for(path, missing=["-1"]))] == [5.5, None, 7.0]
