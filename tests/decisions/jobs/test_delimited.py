"""Jobs of CSV files: each row is answered or refused for itself, and no cell is guessed at by the others."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.decisions.jobs.arranging import PATH, arranged, ask, key_of, work_on

from pilotage.decisions import delimited
from pilotage.decisions import flow as deciding
from pilotage.decisions.jobs import flow
from pilotage.platform.workspace import Workspace

AT = "2013-12-05T19:00:00Z"


class Asked:
    """An installation that is sent files."""

    def __init__(self, work: Workspace) -> None:
        self.work, self.key = work, key_of(work)

    def job(self, content: bytes, kind: str = "text/csv") -> str:
        headers = {"Content-Type": kind}
        answer = ask(self.work, self.key, "POST", PATH, content=content, headers=headers)
        assert answer.status_code == 202, answer.text
        work_on(self.work)
        return str(answer.json()["id"])

    def rows(self, content: bytes, kind: str = "text/csv") -> list[dict[str, Any]]:
        """The rows of the result."""
        job = self.job(content, kind)
        state = ask(self.work, self.key, "GET", f"{PATH}/{job}").json()
        assert state["state"] == "done", state
        answer = ask(self.work, self.key, "GET", f"{PATH}/{job}/result")
        found = [msgspec.json.decode(each) for each in answer.content.splitlines()]
        assert [each["row"] for each in found] == list(range(1, state["rows_total"] + 1))
        return found

    def told(self, *lines: str) -> list[str]:
        """Of each row what was answered, or its problem."""
        rows = self.rows("\n".join(["thing,size,at,colour", *lines, ""]).encode())
        return [each.get("problem") or str(each["answer"]["positive"]) for each in rows]


@pytest.fixture
def app(work: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Asked:
    arranged(work, tmp_path, monkeypatch, things=1)
    return Asked(work)


def test_a_cell_that_does_not_fit_refuses_its_row_alone(app: Asked) -> None:
    told = app.told(
        f"t1,7,{AT},red",
        f"t2,,{AT},red",
        f"t3,n/a,{AT},red",
        f",7,{AT},red",
        f"t5,7,{AT}",
        f"t6,7,{AT},red,more",
        f"t7,7,{AT},red",
    )
    assert told == [
        "True",
        "size: is missing; wanted a number.",
        "size: must be a number; a text came.",
        "thing: is missing; wanted a text.",
        "row: has 3 fields where the header has 4.",
        "row: has 5 fields where the header has 4.",
        "True",
    ]


def test_what_does_not_fit_far_behind_other_rows_ends_nothing(app: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows come in their order over many blocks of the file, whatever is wrong with some."""
    monkeypatch.setattr(delimited, "_BLOCK_BYTES", 200)
    bad = {3: f"t,n/a,{AT},red", 4: "t", 30: f"t,7,{AT},red,red", 57: f"t,?,{AT},red", 58: "t,7", 59: "t,7"}
    told = app.told(*(bad.get(number, f"t,7,{AT},red") for number in range(60)))
    assert {number for number, said in enumerate(told) if said != "True"} == bad.keys()
    assert told[4] == "row: has 1 field where the header has 4."


def test_numbers_are_those_that_a_source_reads(app: Asked) -> None:
    numbers = ["7", "-0.5", "12.50", "1e3", ".5"]
    others = ["007", "+5", " 7", "1 000", "1_000", "1,5", "0x7", "NaN", "inf", "NULL", "\u0667", "9" * 30]
    told = app.told(*(f'a,"{size}",{AT},red' for size in numbers + others))
    assert told[:5] == [str(float(size) > 5) for size in numbers]
    assert told[5:] == ["size: must be a number; a text came."] * len(others)


def test_instants_are_in_iso_8601_and_no_day_is_taken_for_a_month(app: Asked) -> None:
    evening = ["19:00:00Z", "14:00:00-05:00", "19:00:00", "19:00 UTC"]
    told = [*(f"2013-12-05 {each}" for each in evening), "2013-12-05T19:00:00.000Z", "2013-12-05"]
    others = ["03/04/2013 10:00:00", "13/04/2013", "05.12.2013", "2013-13-05", "20131205", "2013-W49-4", "1386270000"]
    rows = app.rows("\n".join(["thing,size,at", *(f"a,7,{at}" for at in told + others)]).encode())
    moments = [deciding.find(app.work, row["answer"]["id"]).moment for row in rows[: len(told)]]
    assert moments == [datetime(2013, 12, 5, 19, tzinfo=UTC)] * 5 + [datetime(2013, 12, 5, tzinfo=UTC)]
    said = {row["problem"] for row in rows[len(told) :]}
    assert said == {"at: must be an instant such as 2013-12-01T17:00:00Z; a text came."}
    assert "between the years" in app.rows(b"thing,size,at\na,7,9999-12-31T23:59:59-05:00")[0]["problem"]


def test_texts_stay_as_they_are_and_only_an_empty_field_is_unknown(app: Asked) -> None:
    lines = [f"007,7,{AT},", f'true,7,{AT},""', f"NA,7,{AT},NA", f'2013-12-05,7,{AT}," 1, 2"', f'"a\nb",7,{AT},x']
    rows = app.rows("\n".join(["thing,size,at,colour", *lines]).encode())
    assert [each["answer"]["entity"] for each in rows[:4]] == ["007", "true", "NA", "2013-12-05"]
    assert "printable" in rows[4]["problem"]
    colours = [deciding.find(app.work, each["answer"]["id"]).inputs["colour"] for each in rows[:4]]
    assert colours == [None, "", "NA", " 1, 2"]


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b'{"thing": "a", "size": 7, "at": "2013-12-05T19:00:00Z"}\n', "application/x-ndjson"),
        (b"thing,size,at\r\na,7,2013-12-05T19:00:00Z\r\n", "text/csv"),
        (b'"thing";size;at\na;7;2013-12-05T19:00:00Z', "text/csv"),
    ],
)
def test_a_byte_order_mark_is_no_part_of_the_first_row(app: Asked, content: bytes, kind: str) -> None:
    (row,) = app.rows(b"\xef\xbb\xbf" + content, kind)
    assert row["answer"]["entity"] == "a"


def test_a_row_that_is_not_in_utf_8_is_refused_alone(app: Asked) -> None:
    head, tail = b"thing,size,at,colour\na,7,2013-12-05T19:00:00Z,", b"b,2,2013-12-05T19:00:00Z,red\n"
    rows = app.rows(head + "grün".encode("latin-1") + b"\n" + "é\n".encode("latin-1") + tail)
    assert [each.get("problem", "") for each in rows] == [
        "colour: must be in UTF-8. Save the file as UTF-8.",
        "row: has 1 field where the header has 4.",
        "",
    ]


def test_a_quote_that_does_not_end_is_named(app: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited, "_SAMPLE_BYTES", 60)
    monkeypatch.setattr(delimited, "_BLOCK_BYTES", 2_000)
    row = f"a,7,{AT}\n"
    begun = f'thing,size,at\n{row * 10}b,7,"{AT}\n'
    assert "A quote in it may not end" in app.rows(f'{begun}{row}c,"7,{AT}'.encode())[-1]["problem"]
    job = app.job(f"{begun}{row * 400}".encode())
    assert flow.find(app.work, "small", job).error.startswith("The file cannot be read after row 10: a quote there")


def test_a_file_with_only_a_header_has_no_rows_and_one_without_is_refused(app: Asked) -> None:
    assert app.rows(b"thing,size,at") == []
    job = app.job(b"")
    assert "has not even a header" in flow.find(app.work, "small", job).error
