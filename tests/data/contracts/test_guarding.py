"""A contract over one request: quick, the same verdict as the engine's, and not to be kept busy."""

from __future__ import annotations

import time
import timeit

import duckdb
import pytest

from pilotage.data.contracts.guarding import guard, unguarded
from pilotage.data.contracts.patterns import faults, matcher
from tests.data.contracts.promises import ORDERS, contract, promise

PATTERNS = [
    r"^[A-Z]{2}[0-9]{3}$",
    r"N\d{5}",
    "a|b|cd",
    "^a.c$",
    r"\w+@\w+\.com",
    "[[:alpha:]]+",
    r"\pL+",
    "(ab)+",
    "(?i)abc",
    "x*",
    r"a\.b",
    "[^0-9]+",
    r"\Qa.b\E",
]
TEXTS = ["", "UA123", "UA1234", "N12345", "N1234\n", "cd", "c", "abc", "ABC", "a\nc", "ü", "é@x.com", "a@x.com", "abab",
         "xxx", "a.b", "axb", "٣", "N٣٣٣٣٣", " "]  # fmt: skip


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_pattern_means_the_same_in_the_hot_path_and_in_the_engine(pattern: str) -> None:
    matches = matcher(pattern)
    for text in TEXTS:
        (engine,) = duckdb.execute("SELECT regexp_full_match(?, ?)", [text, pattern]).fetchall()[0]
        assert matches(text) == engine, (pattern, text)


def test_a_pattern_that_repeats_what_repeats_cannot_be_kept_busy() -> None:
    began = time.perf_counter()
    for pattern in ("(a+)+b", "(a|aa)+$b", "a*a*a*a*a*a*a*b"):
        assert not matcher(pattern)("a" * 5000 + "c")
    assert not matcher("[a-z]*[a-z]*1")("a" * 60_000)
    assert time.perf_counter() - began < 1


def test_a_pattern_that_the_engine_does_not_know_is_explained() -> None:
    assert set(faults(["(", "a", "(?<=x)y", "a{1001}", ""])) == {"(", "(?<=x)y", "a{1001}"}


def test_a_request_is_held_against_what_its_source_promised() -> None:
    broken = guard(
        contract(ORDERS.replace("max: 100}", "max: 100, severity: blocks}")), {"shop": "store", "amount": "amount"}
    )
    assert broken({"shop": "north", "amount": 12.0}) == ()
    assert broken({"shop": None, "amount": None}) == ()
    found = broken({"shop": "east", "amount": 100.5})
    assert [(each.column, each.rule, each.severity) for each in found] == [
        ("shop", "categories", "warns"),
        ("amount", "range", "blocks"),
    ]


def test_what_is_empty_breaks_only_what_is_required() -> None:
    promised = promise(
        'a: {type: text, required: true, pattern: "^x$", categories: [x]}\nb: {type: number, required: true, min: 1}'
    )
    broken = guard(promised, {"a": "a", "b": "b"})
    for empty in (None, "", "  "):
        assert [(each.column, each.rule) for each in broken({"a": empty, "b": None})] == [
            ("a", "required"),
            ("b", "required"),
        ]
    assert [each.column for each in broken({"a": "x", "b": 1.0})] == []


def test_a_code_that_the_source_keeps_as_a_number_is_compared_as_one() -> None:
    broken = guard(promise("a: {type: number, max: 9}"), {"a": "a"})
    assert [bool(broken({"a": value})) for value in ("5", "10", "x", True, float("nan"))] == [
        False,
        True,
        True,
        False,
        True,
    ]


def test_without_a_promise_for_any_column_nothing_is_asked() -> None:
    assert guard(contract(ORDERS), {"colour": "colour"}) is unguarded


def test_ten_columns_cost_less_than_five_microseconds() -> None:
    lines = [f"n{n}: {{type: number, required: true, min: 0, max: 100}}" for n in range(5)]
    lines += [f"c{n}: {{type: text, categories: [north, south]}}" for n in range(3)]
    lines += [f'p{n}: {{type: text, pattern: "^[A-Z]{{2}}[0-9]{{3}}$"}}' for n in range(2)]
    names = [line.split(":")[0] for line in lines]
    broken = guard(promise("\n".join(lines)), dict(zip(names, names, strict=True)))
    request = {name: 12.0 if name[0] == "n" else "north" if name[0] == "c" else "UA123" for name in names}
    assert broken(request) == ()
    best = min(timeit.repeat(lambda: broken(request), number=1000, repeat=30)) / 1000
    assert best < 5e-6
