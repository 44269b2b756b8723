"""CSV and its kin: what stands in a stranger's export comes out as it stands."""

from __future__ import annotations

import bz2
import gzip
import lzma
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from pilotage.data import sources
from pilotage.data.records import Extent, Span
from tests.data.sources.asking import asked_for, column_of, failure_of, naive, rows_of, types_of
from tests.data.sources.rest_server import serving


def write(path: Path, text: str | bytes, encoding: str = "utf-8") -> Path:
    path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
    return path


def test_identifiers_and_the_text_NA_are_kept_exactly_and_only_an_empty_field_is_null(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", 'id,country,note,zip\n00123,NA,NULL,\n00124,DE,None," "\n,"",nan,01234\n')
    assert rows_of(asked_for(path)) == [
        {"id": "00123", "country": "NA", "note": "NULL", "zip": None},
        {"id": "00124", "country": "DE", "note": "None", "zip": " "},
        {"id": None, "country": "", "note": "nan", "zip": "01234"},
    ]


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (["1", "-2", "", "9223372036854775807"], "BIGINT"),
        (["1", "007"], "VARCHAR"),
        (["1", "+2"], "VARCHAR"),
        (["1", "9223372036854775808"], "VARCHAR"),
        (["12345678901234567890"], "VARCHAR"),
        (["1", "2.50"], "DOUBLE"),
        ([".5", "-1.", "1e-05", "1.5E10", "1e+16"], "DOUBLE"),
        (["1", "1E5"], "VARCHAR"),
        (["1.5", "NA"], "VARCHAR"),
        (["1.5", "1,5"], "VARCHAR"),
        (["1_000"], "VARCHAR"),
        ([" 1", "2"], "VARCHAR"),
        (["true", "FALSE"], "BOOLEAN"),
        (["true", "yes"], "VARCHAR"),
        (["0", "1"], "BIGINT"),
        (["2013-01-01", "2013-01-01T10:00:00+02:00", "2013-01-01 10:00"], "TIMESTAMP"),
        (["2013-02-30"], "VARCHAR"),
        (["01.02.2013", "1.12.2013", ""], "TIMESTAMP"),
        (["01.02.2013", "31.02.2013"], "VARCHAR"),
        (["25/12/2013 10:30", "01/02/2013 11:00"], "TIMESTAMP"),
        (["05/12/2013", "01/02/2013"], "VARCHAR"),
        (["10.0.0.1"], "VARCHAR"),
        (["20130101"], "BIGINT"),
        (["", ""], "VARCHAR"),
        (["inf"], "VARCHAR"),
    ],
)
def test_a_column_has_another_type_than_text_only_if_every_value_fits(
    tmp_path: Path, values: list[str], found: str
) -> None:
    path = write(tmp_path / "a.csv", "id,x\n" + "".join(f'k{n},"{text}"\n' for n, text in enumerate(values)))
    assert types_of(asked_for(path))["x"] == found


def test_one_odd_value_after_a_hundred_thousand_makes_the_column_text(tmp_path: Path) -> None:
    rows = "".join(f"k{n},{n},{n}.5\n" for n in range(60_000))
    path = write(tmp_path / "a.csv", f"id,x,y\n{rows}last,00123,1\n")
    assert types_of(asked_for(path)) == {"id": "VARCHAR", "x": "VARCHAR", "y": "DOUBLE"}
    assert "00123" in column_of(asked_for(path), "x")


def test_a_key_is_never_a_fraction_because_1_1_and_1_10_would_be_one(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "version,x\n1.1,1\n1.10,2\n")
    assert types_of(asked_for(path, key=["version"])) == {"version": "VARCHAR", "x": "BIGINT"}


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_although_values_hold_others(tmp_path: Path, delimiter: str) -> None:
    lines = [["id", "place", "amount"], ["1", '"35.8;1,04|x\ty"', "97100"], ["2", '"a ""b"" c"', "3"]]
    path = write(tmp_path / "a.txt", "\n".join(delimiter.join(line) for line in lines))
    assert rows_of(asked_for(path)) == [
        {"id": 1, "place": "35.8;1,04|x\ty", "amount": 97100},
        {"id": 2, "place": 'a "b" c', "amount": 3},
    ]


def test_a_faulty_line_does_not_mislead_the_delimiter(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "id;who;what\n1;a;b\n2;c,d,e;f\n3;a|b\n4;a;b\n")
    assert "a.csv, line 4: it has 2 fields where the header has 3." in failure_of(asked_for(path))


def test_a_quote_that_comes_late_is_a_quote(tmp_path: Path) -> None:
    rows = "".join(f"{n},plain\n" for n in range(100_000))
    path = write(tmp_path / "a.csv", f'id,x\n{rows}100000,"one, two"\n')
    assert column_of(asked_for(path), "x").count("one, two") == 1


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("id,x\n1,a\n\n2,b\n\n", [("1", "a"), ("2", "b")]),
        ("\n\nid,x\n1,a\n", [("1", "a")]),
        ("sep=;\nid;x\n1;a\n", [("1", "a")]),
        ("id,x\r\n1,a\r\n2,b\r\n", [("1", "a"), ("2", "b")]),
        ("id,x\r1,a\r2,b\r", [("1", "a"), ("2", "b")]),
        ("id,x\n1,a\r\n2,b\n3,c\r", [("1", "a"), ("2", "b"), ("3", "c")]),
        ('id,x\r\n1,"a\nb"\r\n', [("1", "a\nb")]),
        ('id,x\n1,5" disk\n', [("1", '5" disk')]),
        ('id,x\n1,"say \\"yes\\""\n2,"b"\n', [("1", 'say "yes"'), ("2", "b")]),
        ("'id','x'\n'1','a, b'\n", [("1", "a, b")]),
        ("id,x\n1,a", [("1", "a")]),
        ("id,x\n", []),
    ],
)
def test_blank_lines_line_ends_and_quotes_of_all_kinds(tmp_path: Path, text: str, rows: list[tuple[str, str]]) -> None:
    path = write(tmp_path / "a.csv", text)
    assert [(str(row["id"]), row["x"]) for row in rows_of(asked_for(path))] == rows


def test_a_declared_delimiter_overrides_what_is_found(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "id^x,y\n1^a,b\n")
    assert rows_of(asked_for(path, delimiter="^")) == [{"id": 1, "x,y": "a,b"}]
    assert rows_of(asked_for(write(tmp_path / "b.csv", "id||x\n1||a|b\n"), delimiter="||")) == [{"id": 1, "x": "a|b"}]


def test_one_column_is_enough(tmp_path: Path) -> None:
    assert column_of(asked_for(write(tmp_path / "a.csv", "id\nx\ny z\n")), "id") == ["x", "y z"]


def test_empty_and_doubled_names_of_columns_get_a_number(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", ",id,a,A,,a_2\n0,k,1,2,3,4\n")
    assert list(types_of(asked_for(path))) == ["column_1", "id", "a", "A_3", "column_5", "a_2"]


@pytest.mark.parametrize("name", ["select", 'x"; DROP TABLE y', "a b", "a.b", "🙂", "o'hare", "_row_", "$1"])
def test_any_name_of_a_column_works(tmp_path: Path, name: str) -> None:
    quoted = '"' + name.replace('"', '""') + '"'
    path = write(tmp_path / "a.csv", f"id,{quoted}\n1,x\n")
    assert rows_of(asked_for(path)) == [{"id": 1, name: "x"}]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("17,2013-01-01,a\n18,2013-01-02,b\n", ["column_1", "column_2", "column_3"]),
        ("id,2013,2014\nx,1,2\ny,3,4\n", ["id", "2013", "2014"]),
        (",0,1,2\n0,0.5,1.5,2.5\n", ["column_1", "0", "1", "2"]),
        ("id,name\na,b\n", ["id", "name"]),
        ("id,age\nx,3\n", ["id", "age"]),
    ],
)
def test_a_file_without_header_gets_names_and_years_are_names(tmp_path: Path, text: str, names: list[str]) -> None:
    path = write(tmp_path / "a.csv", text)
    assert list(types_of(asked_for(path))) == names
    assert len(rows_of(asked_for(path))) == text.count("\n") - (names != ["column_1", "column_2", "column_3"])


def test_files_of_which_only_some_have_a_header_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", "id,x\n1,2\n")
    write(tmp_path / "b.csv", "3,4\n5,6\n")
    assert "b.csv with values" in failure_of(asked_for(tmp_path / "*.csv"))


def test_files_that_differ_in_order_dialect_and_encoding_are_united_by_name(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", "id,name,x\n1,Müller,5\n")
    write(tmp_path / "b.csv", "NAME;id\nÖzgür Straße;2\n", "cp1252")
    write(tmp_path / "c.csv", "x\tid\textra\n7\t3\tyes\n", "utf-16")
    assert sorted(rows_of(asked_for(tmp_path / "*.csv")), key=lambda row: row["id"]) == [
        {"id": 1, "name": "Müller", "x": 5, "extra": None},
        {"id": 2, "name": "Özgür Straße", "x": None, "extra": None},
        {"id": 3, "name": None, "x": 7, "extra": "yes"},
    ]


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("utf-8", "Straße €"),
        ("utf-8-sig", "Straße €"),
        ("utf-16", "Straße €"),
        ("utf-16-le", "Strasse"),
        ("utf-16-be", "Strasse"),
        ("utf-32", "Straße"),
        ("cp1252", "Große Allee, 1,50 €, Müller’s Straße"),
        ("latin-1", "Peña de Málaga, José"),
        ("cp1251", "Иван Петров, Москва"),
        ("cp1253", "Γιώργος, Αθήνα"),
        ("mac_roman", "Straße Müller é"),
        ("cp850", "Straße Müller é"),
        ("shift_jis", "田中 東京 鈴木 大阪"),
        ("gb18030", "王伟 北京 上海"),
    ],
)
def test_the_encoding_is_found(tmp_path: Path, encoding: str, text: str) -> None:
    path = write(tmp_path / "a.csv", "id;name\n" + "".join(f"{n};{text}\n" for n in range(50)), encoding)
    assert column_of(asked_for(path), "name") == [text] * 50


def test_a_byte_that_is_not_utf_8_after_megabytes_that_are_is_seen(tmp_path: Path) -> None:
    rows = "".join(f"{n},plain text of a row\n" for n in range(100_000))
    path = write(tmp_path / "a.csv", f"id,x\n{rows}100000,Zürich\n", "cp1252")
    assert column_of(asked_for(path), "x")[-1] == "Zürich"


def test_a_declared_encoding_is_used_and_refused_where_it_is_wrong(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "id,x\n1,Žďár\n", "cp1250")
    assert column_of(asked_for(path, encoding="windows-1250"), "x") == ["Žďár"]
    assert "a.csv is not in utf-8" in failure_of(asked_for(path, encoding="utf-8"))
    assert "is not in utf-16" in failure_of(asked_for(path, encoding="utf-16"))
    assert "is not in ascii" in failure_of(asked_for(path, encoding="ascii"))
    assert "'klingon' is not an encoding" in failure_of(asked_for(path, encoding="klingon"))
    assert "'base64' is not an encoding" in failure_of(asked_for(path, encoding="base64"))


@pytest.mark.parametrize("ending", ["gz", "bz2", "xz", "zst"])
def test_compressed_files_are_read_and_torn_ones_named(tmp_path: Path, ending: str) -> None:
    text = "id,x\n" + "".join(f"{n:05},Zürich {n}\n" for n in range(2000))
    packers = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}
    path = tmp_path / f"a.csv.{ending}"
    if ending == "zst":
        sink = pa.BufferOutputStream()
        with pa.CompressedOutputStream(sink, "zstd") as stream:
            stream.write(text.encode())
        packed = sink.getvalue().to_pybytes()
    else:
        packed = packers[ending](text.encode())
    path.write_bytes(packed)
    assert len(rows_of(asked_for(path))) == 2000
    path.write_bytes(packed[: len(packed) // 2])
    assert f"a.csv.{ending}" in failure_of(asked_for(path))
    path.write_bytes(b"id,x\n1,2\n")
    assert f"is not what .{ending} files are" in failure_of(asked_for(path))


def test_clocks_in_common_forms_are_read_when_all_values_agree(tmp_path: Path) -> None:
    for name, values, first in [
        ("dots", ["31.12.2013 9:05", "01.02.2014 10:00"], naive(2013, 12, 31, 9, 5)),
        ("american", ["12/31/2013 9:05", "1/2/2014 10:00"], naive(2013, 12, 31, 9, 5)),
        ("british", ["31/12/2013", "01/02/2014"], naive(2013, 12, 31)),
        ("noon", ["12/31/2013 9:05 PM", "1/2/2014 10:00 AM"], naive(2013, 12, 31, 21, 5)),
        ("month", ["31-Dec-2013", "01-Feb-2014"], naive(2013, 12, 31)),
        ("iso", ["2013-12-31T09:05:00+02:00", "2014-01-01T00:00:00Z"], naive(2013, 12, 31, 7, 5)),
    ]:
        path = write(tmp_path / f"{name}.csv", "id,at\n" + "".join(f"k{n},{v}\n" for n, v in enumerate(values)))
        asked = asked_for(path, event_time="at", known_at="at")
        assert types_of(asked)["at"] == "TIMESTAMP", name
        assert column_of(asked, "at")[0] == first, name


def test_a_clock_in_which_day_and_month_could_be_exchanged_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "id,at\n1,03/04/2013\n2,05/06/2013\n")
    said = failure_of(asked_for(path, event_time="at", known_at="at"))
    assert "the dates in at could be MM/DD/YYYY or DD/MM/YYYY" in said
    assert types_of(asked_for(path))["at"] == "VARCHAR"


def test_a_clock_with_one_value_that_is_no_instant_names_it(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "id,at\n1,2013-01-01\n2,soon\n3,2013-01-02\n")
    said = failure_of(asked_for(path, event_time="at", known_at="at"))
    assert "1 value of at is no date written YYYY-MM-DD HH:MM:SS: first 'soon' in row 2" in said
    path = write(tmp_path / "b.csv", "id,at\n1,31.1.2013\n2,soon\n3,30.1.2013\n")
    said = failure_of(asked_for(path, event_time="at", known_at="at"))
    assert "1 value of at is no date written DD.MM.YYYY: first 'soon' in row 2" in said


def test_a_span_is_read_and_its_extent_told_and_rows_without_a_clock_are_left_out(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "id,at\n" + "".join(f"{day},2013-01-{day:02}\n" for day in range(1, 31)) + "99,\n")
    asked = asked_for(path, event_time="at", known_at="at")
    span = Span(datetime(2013, 1, 10, tzinfo=UTC), datetime(2013, 1, 20, tzinfo=UTC))
    assert sorted(row["id"] for row in rows_of(asked, span)) == list(range(10, 21))
    columns = sources.introspect(asked)
    assert sources.extent(asked, columns, span) == Extent(11, span.after, span.until)
    assert len(rows_of(asked, Span())) == 31
    assert next(iter(sources.read(asked, columns[:1], Span()))).schema.names == ["id"]


def test_the_number_of_a_row_can_be_its_key(tmp_path: Path) -> None:
    write(tmp_path / "b.csv", "x\nc\n")
    write(tmp_path / "a.csv", "x\na\nb\n")
    found = {row["_row"]: row["x"] for row in rows_of(asked_for(tmp_path / "*.csv", key=["_row"]))}
    assert found == {1: "a", 2: "b", 3: "c"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "a.csv is empty"),
        ("\ufeff", "a.csv is empty"),
        ("\n\n", "a.csv is empty"),
        ("id,x\n1,2\n3\n", "a.csv, line 3: it has 1 fields where the header has 2."),
        ("id,x\n1,2\n3,4,5\n", "a.csv, line 3: it has 3 fields where the header has 2."),
        ('id,x\n1,2\n3,"4\n5,6\n', "a.csv, line 3: a quoted value does not end"),
        ("id,x\n1,2\n3,4\x005\n", "a.csv, line 3: it holds a NUL byte"),
        ("Report of May\n\nid,x,y\n1,2,3\n4,5,6\n7,8,9\n", "something stands above the header"),
        (",".join(f"c{n}" for n in range(5001)) + "\n", "has 5,001 columns; 5,000 are the most"),
        (",".join(f"c{n}" for n in range(1_000_000)) + "\n", "far too many columns"),
        ("id,x\n1," + "y" * 5_000_000 + "\n", "a.csv, line 2 is longer than 2,000,000 bytes"),
        ('id,x\n1,"' + "y\n" * 1_500_000 + '"\n', "a.csv, line 2"),
    ],
)
def test_a_broken_file_is_named_with_its_line(tmp_path: Path, text: str, says: str) -> None:
    said = failure_of(asked_for(write(tmp_path / "a.csv", text)))
    assert says in said
    assert len(said) < 500


def test_rows_that_are_wrong_are_not_repeated_in_the_message(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "id,mail\n1,anna@example.org\n2,otto@example.org,hunter2\n")
    assert "hunter2" not in failure_of(asked_for(path))


def test_more_rows_than_rows_max_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "id\n1\n2\n3\n")
    assert "more than 2 rows" in failure_of(asked_for(path, rows_max=2))


def test_names_of_files_may_hold_what_patterns_hold(tmp_path: Path) -> None:
    path = write(tmp_path / "export [1] (o'hare)*.csv", "id\n1\n")
    write(tmp_path / "export 1 (o'hare)x.csv", "id\n2\n")
    assert column_of(asked_for(path), "id") == [1]
    assert column_of(asked_for(f"file://{path}"), "id") == [1]


def test_a_file_at_an_http_address_is_read() -> None:
    with serving(lambda asking: asking.answer(b"id;x\n007;NA\n", kind="text/csv")) as (url, _):
        assert rows_of(asked_for(f"{url}/export.csv?token=hunter2canary")) == [{"id": "007", "x": "NA"}]
    assert "hunter2canary" not in failure_of(asked_for(f"{url}/export.csv?token=hunter2canary"))


def test_what_cannot_be_read_is_named_with_what_can(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", "id\n1\n")
    write(tmp_path / "b.pdf", "x")
    write(tmp_path / "_SUCCESS", "")
    assert "b.pdf is of no kind" in failure_of(asked_for(tmp_path / "*"))
    write(tmp_path / "b.pdf", "x").rename(tmp_path / "b.jsonl")
    assert "several kinds" in failure_of(asked_for(tmp_path / "*"))
    assert "no file matches" in failure_of(asked_for(tmp_path / "none-*.csv"))


def test_nothing_is_left_behind_when_the_disk_fills(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import errno
    import tempfile

    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    path = write(tmp_path / "a.csv", "id,x\n1,Müller\n", "cp1252")
    assert rows_of(asked_for(path)) == [{"id": 1, "x": "Müller"}]
    assert list(temporary.iterdir()) == []

    def full(*_: object) -> str:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("pilotage.data.sources.files.encodings._Lines.take", full)
    assert "is full" in failure_of(asked_for(write(tmp_path / "b.csv", "id,x\n1,Mü\n", "cp1252")))
    assert list(temporary.iterdir()) == []
