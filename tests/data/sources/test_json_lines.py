"""JSON: one object per line or an array, with the values as they are written."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.data.sources.asking import asked_for, column_of, failure_of, naive, rows_of, types_of


def test_strings_stay_texts_and_objects_in_objects_become_columns_with_a_dot(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(
        '{"id":"00123","n":1,"o":{"x":1.10,"y.z":"NA"},"l":[1,2],"at":"2013-01-01T02:00:00+02:00","m":1,"b":true}\n'
        '{"id":"NA","n":2.5,"o":{"x":null},"m":"s","b":null,"N":7,"big":12345678901234567890123,"e":{}}\n'
    )
    assert rows_of(asked_for(path)) == [
        {
            "id": "00123", "n": 1.0, "o.x": 1.1, "o.y.z": "NA", "l": "[1,2]", "at": naive(2013, 1, 1), "m": "1",
            "b": True, "N_2": None, "big": None, "e": None,
        },
        {
            "id": "NA", "n": 2.5, "o.x": None, "o.y.z": None, "l": None, "at": None, "m": "s",
            "b": None, "N_2": 7, "big": "12345678901234567890123", "e": "{}",
        },
    ]  # fmt: skip
    assert types_of(asked_for(path))["big"] == "VARCHAR"


def test_an_array_of_objects_is_read_and_files_are_united(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('[{"id": 1},\n {"id": 2, "b": [{"c": 1}]}]')
    (tmp_path / "b.json").write_text('{"id": 3, "d": "x"}\n')
    found = sorted(rows_of(asked_for(tmp_path / "*.json")), key=lambda row: row["id"])
    assert [(row["id"], row["b"], row["d"]) for row in found] == [
        (1, None, None),
        (2, '[{"c":1}]', None),
        (3, None, "x"),
    ]


@pytest.mark.parametrize("key", ["select", 'x"; DROP TABLE y', "a/b~c", "", "🙂", "0", "$.a"])
def test_any_key_works(tmp_path: Path, key: str) -> None:
    import json

    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"id": 1, key: "x"}))
    assert rows_of(asked_for(path)) == [{"id": 1, key or "column_2": "x"}]


def test_a_value_that_differs_after_thousands_of_rows_counts(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("".join(f'{{"id":{n},"x":{n}}}\n' for n in range(50_000)) + '{"id":50000,"x":"00123","late":1}\n')
    assert types_of(asked_for(path)) == {"id": "BIGINT", "x": "VARCHAR", "late": "BIGINT"}
    assert "00123" in column_of(asked_for(path), "x")


def test_utf_16_and_a_byte_order_mark_are_read(tmp_path: Path) -> None:
    for encoding in ("utf-8-sig", "utf-16"):
        (tmp_path / "a.jsonl").write_text('{"id":"ü"}\n', encoding=encoding)
        assert column_of(asked_for(tmp_path / "a.jsonl"), "id") == ["ü"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "a.jsonl is empty"),
        ("\n", "has no rows"),
        ('{"a":1}\n{"a":2\n{"a":3}\n', "in line 3"),
        ('{"a":1}\n[1]\n', "holds something else than objects"),
        ("<html>", "a.jsonl"),
        ("{}\n", "holds something else than objects"),
        ('{"a":1}\n' + '{"b":"' + "x" * 17_000_000 + '"}', "a.jsonl"),
        ("{" + ",".join(f'"k{n}":1' for n in range(5001)) + "}", "5,001 columns"),
    ],
)
def test_what_is_no_list_of_objects_is_named(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "a.jsonl").write_text(text)
    said = failure_of(asked_for(tmp_path / "a.jsonl"))
    assert says in said
    assert len(said) < 600
