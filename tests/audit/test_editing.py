"""Edits of a file that leave all other lines as they are."""

from __future__ import annotations

import difflib

import pytest

from pilotage.audit.rules.editing import with_entry, without_entry, without_items
from pilotage.platform.errors import InvalidFile

TEXT = """\
# The head of the file
use_case: 'returns'   # quoted, with a remark

decision:
    # what the app sends
    request:
        store: {kind: category,  required: false}   # two blanks
        amount: number

inputs:
  amount: request      # as sent

  weather:
    latest: weather
    by: [store,   region]
    take:
      temp: "°F at the 'store'"
      wind: mph
    # the end of the weather

# The rule of today
rule:
  positive: amount > 1_000
  says: >
    it is
    a lot
"""


def changed(before: str, after: str) -> list[str]:
    lines = difflib.ndiff(before.splitlines(keepends=True), after.splitlines(keepends=True))
    return [line.rstrip("\n") for line in lines if line[0] in "+-"]


def test_an_entry_is_added_at_the_end_of_its_section_and_nothing_else_changes() -> None:
    after = with_entry(TEXT, ("inputs",), "hour", "hour: {derived: EXTRACT(HOUR FROM placed_at)}")
    assert changed(TEXT, after) == ["+   hour: {derived: EXTRACT(HOUR FROM placed_at)}"]
    assert after.index("# the end of the weather") < after.index("hour:") < after.index("# The rule of today")


def test_an_entry_of_several_lines_gets_the_indentation_of_its_section() -> None:
    after = with_entry(TEXT, ("decision", "request"), "more", "more:\n  kind: number\n  unit: kg")
    assert changed(TEXT, after) == ["+         more:", "+           kind: number", "+           unit: kg"]


def test_a_section_that_is_not_there_is_begun_at_the_end() -> None:
    after = with_entry(TEXT, ("answers",), "systems", 'systems: ""  # Which systems hold the inputs?')
    assert after == TEXT + '\nanswers:\n  systems: ""  # Which systems hold the inputs?\n'
    again = with_entry(after, ("answers",), "repair", 'repair: ""')
    assert again == after + '  repair: ""\n'


def test_an_entry_that_is_there_already_is_refused() -> None:
    with pytest.raises(InvalidFile, match=r"inputs\.weather is there already"):
        with_entry(TEXT, ("inputs",), "weather", "weather: request")


def test_an_entry_is_taken_out_with_its_lines_and_no_others() -> None:
    after = without_entry(TEXT, ("inputs", "weather"))
    gone = TEXT[TEXT.index("  weather:") : TEXT.index("\n# The rule")]
    assert after == TEXT.replace(gone, "")
    assert "# The rule of today" in after


def test_one_of_several_columns_is_taken_out_of_a_mapping_and_of_a_list() -> None:
    after = without_items(TEXT, ("inputs", "weather", "take"), ["temp"])
    assert changed(TEXT, after) == ["-       temp: \"°F at the 'store'\""]
    after = without_items(TEXT, ("inputs", "weather", "by"), ["region"])
    assert changed(TEXT, after) == ["-     by: [store,   region]", "+     by: [store]"]


def test_what_stands_in_braces_is_written_anew_where_it_stands_and_only_there() -> None:
    text = "a: 1 # one\nrequest: {store: category, amount: number}\nz: 'last'\n"
    after = with_entry(text, ("request",), "tax", "tax: number")
    assert after == "a: 1 # one\nrequest: {store: category, amount: number, tax: number}\nz: 'last'\n"
    assert without_entry(after, ("request", "tax")) == text
    assert with_entry("inputs: {}\nz: 1\n", ("inputs",), "a", "a: request") == "inputs:\n  a: request\nz: 1\n"


def test_remarks_behind_braces_and_comments_below_them_stay() -> None:
    text = "a:\n  request: {store: category}   # as sent\n\n  # the next\n  z: 1\n"
    after = with_entry(text, ("a", "request"), "tax", "tax: number")
    assert after == "a:\n  request: {store: category, tax: number}   # as sent\n\n  # the next\n  z: 1\n"
    after = without_items("a:\n  take: [x, 'y', z] # why\n\n# the next\nb: 1\n", ("a", "take"), ["x", "z"])
    assert after == "a:\n  take: ['y'] # why\n\n# the next\nb: 1\n"


def test_an_item_is_taken_out_of_a_list_of_lines() -> None:
    text = "take:\n  # first\n  - x   # one\n  - y\n# end\nb: 1\n"
    assert without_items(text, ("take",), ["y"]) == "take:\n  # first\n  - x   # one\n# end\nb: 1\n"


def test_lines_that_end_as_on_windows_stay_so_and_a_missing_last_end_is_added() -> None:
    after = with_entry("a: 1\r\nb:\r\n  c: 2\r\nd: 3\r\n", ("b",), "e", "e:\n  f: 4")
    assert after == "a: 1\r\nb:\r\n  c: 2\r\n  e:\r\n    f: 4\r\nd: 3\r\n"
    assert with_entry("b:\n  c: 2", ("b",), "e", "e: 4") == "b:\n  c: 2\n  e: 4\n"


def test_lists_that_are_not_indented_and_texts_over_several_lines_end_where_they_end() -> None:
    text = "inputs:\n  a:\n    by:\n    - x\n    - y\n  b:\n    says: 'one\n      two'\nz: 1\n"
    assert without_entry(text, ("inputs", "a")) == "inputs:\n  b:\n    says: 'one\n      two'\nz: 1\n"
    assert without_entry(text, ("inputs", "b")) == "inputs:\n  a:\n    by:\n    - x\n    - y\nz: 1\n"


def test_what_is_not_there_is_named() -> None:
    with pytest.raises(InvalidFile, match=r"There is no inputs\.nothing"):
        without_entry(TEXT, ("inputs", "nothing"))
    with pytest.raises(InvalidFile, match="has no rain"):
        without_items(TEXT, ("inputs", "weather", "take"), ["rain"])
    with pytest.raises(InvalidFile, match="not YAML"):
        with_entry("a: [", ("a",), "b", "b: 1")
