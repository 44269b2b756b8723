"""Bad input of every kind is refused with its line, its column and its repair."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilotage.platform.errors import InvalidFile, NotFound, TooLarge
from pilotage.usecase.flow import parse_definition, read_definition
from pilotage.usecase.records import UseCase
from pilotage.usecase.rules.reading import read
from tests.usecase.example import TEXT, changed, only_problem, place, problems

MARKS = [": ", "- ", "{", "}", "[", "]", "'", '"', "#", "\t", "\n", "\r", "|", ">", "&a ", "*a", "? ", "!", "%", "\x85"]
LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


def test_a_file_in_order_has_no_problem() -> None:
    assert problems(TEXT) == []


def test_an_unknown_key_names_the_nearest_known_one() -> None:
    problem = only_problem(("  risk: limited", "  riks: limited"))
    assert (problem.where, problem.message) == ("brief.riks", "riks is not a key here.")
    assert problem.repair == "Did you mean risk?"
    assert (problem.line, problem.column) == place(changed(("  risk: limited", "  riks: limited")), "riks")


def test_a_wrong_type_says_what_was_wanted_and_what_came() -> None:
    problem = only_problem(("latency_ms: 100", "latency_ms: fast"))
    assert problem.message == "A whole number is wanted; this is the text 'fast'."
    assert (problem.line, problem.column) == place(changed(("latency_ms: 100", "latency_ms: fast")), "fast")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("latency_ms: 100", "latency_ms: 1", "It must be at least 5 (got 1)."),
        ("latency_ms: 100", "latency_ms: 12.5", "A whole number is wanted; this is the text '12.5'."),
        ("latency_ms: 100", 'latency_ms: "100"', "A whole number is wanted; this is the text '100'."),
        ("latency_ms: 100", "latency_ms: [100]", "A whole number is wanted; this is a list."),
        ("risk: limited", "risk: medium", "'medium' is not known here."),
        ("risk: limited", "risk:", "It has no value; high or limited or minimal is wanted."),
        ("currency: USD", "currency: dollars", "'dollars' does not fit."),
        ("required: false", "required: no", "True or false is wanted; this is the text 'no'."),
        ("within: 6 hours", "within: 6h", "'6h' does not fit."),
        ("key: [origin, hour]", "key: origin", "A list is wanted; this is the text 'origin'."),
        ("  carrier: category", "  carrier: word", "'word' is not known here."),
        ("caught: 180", "caught: nan", "A number is wanted; this is the text 'nan'."),
        ("use_case: late_arrival", "use_case: Late-Arrival", "'Late-Arrival' does not fit."),
        (
            "  actions: {positive: Prepare rebooking, ",
            "  actions: {positiv: Prepare rebooking, ",
            "positiv is not a key",
        ),
    ],
)
def test_values_that_do_not_fit_are_named(old: str, new: str, message: str) -> None:
    found = problems(changed((old, new)))
    assert message.lower() in str(found[0].message).lower()
    assert found[0].line == place(TEXT, old)[0] + old.count("\n")


def test_a_missing_owner_is_named_where_it_belongs() -> None:
    problem = only_problem(("owner: dispatch-lead@airline.example\n", ""))
    assert (problem.line, problem.message, problem.repair) == (1, "owner is missing.", "Add owner: a text.")


def test_an_empty_owner_is_no_owner() -> None:
    assert "no value" in only_problem(("owner: dispatch-lead@airline.example", "owner:")).message
    assert "empty" in only_problem(("owner: dispatch-lead@airline.example", 'owner: "  "')).message


def test_a_missing_group_is_said_once_without_a_trail_of_others() -> None:
    text = TEXT[: TEXT.index("decision:\n")] + TEXT[TEXT.index("outcome:\n") :]
    assert [problem.message for problem in problems(text)] == ["decision is missing."]


def test_two_mistakes_of_different_kinds_are_reported_together_each_at_its_place() -> None:
    text = changed(("  kpi: Rebooking", "  kpy: Rebooking"), ("positive: arr_delay > 30", "positive: (SELECT 1)"))
    found = {problem.where: (problem.line, problem.column) for problem in problems(text)}
    assert found["brief.kpy"] == place(text, "kpy")
    assert found["outcome.positive"] == place(text, "(SELECT 1)")
    assert found["brief"] == place(text, "brief:")  # kpi itself is missing


def test_problems_come_in_the_order_of_the_file() -> None:
    text = changed(("within: 6 hours", "within: soon"), ("risk: limited", "risk: none"), ("title:", "titel:"))
    lines = [problem.line for problem in problems(text)]
    assert lines == sorted(lines)
    assert len(lines) == 4


def test_a_duplicate_deep_in_the_file_and_another_mistake_are_reported_together() -> None:
    text = changed(("take: arr_delay, says", "take: arr_delay, take: late, says"), ("risk: limited", "risk: none"))
    assert [problem.where for problem in problems(text)] == ["brief.risk", "inputs.aircraft_delay.take"]


def test_a_duplicate_key_is_an_error_at_the_second() -> None:
    text = changed(("  risk: limited\n", "  risk: limited\n  risk: high\n"))
    (problem,) = problems(text)
    assert problem.where == "brief.risk"
    assert problem.message == "risk stands here a second time."
    assert (problem.line, problem.column) == place(text, "risk: high")
    assert f"Line {problem.line - 1}" in problem.repair


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("use_case: &name late\ntitle: *name\n", "&name is an anchor."),
        ("use_case: *name\n", "*name is an alias."),
        ("brief:\n  <<: {risk: high}\n", "<< merges"),
        ("owner: !!python/object/apply:os.system ['true']\n", "is a tag"),
        ("use_case: one\n---\nuse_case: two\n", "A second document"),
        ("a: " + "[" * 30 + "]" * 30, "Nested deeper"),
        ("? [a, b]\n: c\n", "A key must be a word."),
        ("brief:\n\tworkflow: x\n", "A tab stands where YAML wants spaces."),
        ("title: Late: arrivals\n", "A second ': '"),
        ("title: 'open\n", "This is not YAML"),
        ("", "The file is empty."),
        ("# only a comment\n", "The file is empty."),
        ("title: a\0b\n", "control character U+0000"),
        ("title: a\x1bb\n", "control character U+001B"),
    ],
)
def test_yaml_that_we_do_not_read_is_refused_with_a_reason(text: str, message: str) -> None:
    (problem,) = problems(text)
    assert message in problem.message
    assert problem.repair
    assert problem.line >= 1


def test_a_tab_is_located() -> None:
    (problem,) = problems("use_case: a\nbrief:\n\tworkflow: x\n")
    assert problem.line == 3


def test_a_billion_laughs_are_refused_at_once() -> None:
    began = time.perf_counter()
    (problem,) = problems(LAUGHS)
    assert "anchor" in problem.message
    assert time.perf_counter() - began < 1


@settings(max_examples=200, deadline=None)
@given(start=st.integers(0, len(TEXT)), length=st.integers(0, 60), text=st.text(max_size=8) | st.sampled_from(MARKS))
def test_whatever_is_written_is_either_a_use_case_or_refused_with_places(start: int, length: int, text: str) -> None:
    for problem in problems(TEXT[:start] + text + TEXT[start + length :]):
        assert problem.message
        assert problem.line >= 1
        assert problem.column >= 1


def test_ten_megabytes_are_refused_by_size_alone(tmp_path: Path) -> None:
    file = tmp_path / "large.yaml"
    file.write_bytes(b"a: [" + b"x, " * 3_500_000 + b"]")
    began = time.perf_counter()
    with pytest.raises(TooLarge, match="larger than 64 KiB"):
        read_definition(file)
    with pytest.raises(TooLarge):
        parse_definition("x" * 10_000_000, "large.yaml")
    assert time.perf_counter() - began < 1


def test_a_file_that_is_not_utf8_names_the_byte(tmp_path: Path) -> None:
    file = tmp_path / "latin.yaml"
    file.write_bytes("use_case: a\ntitle: Verspätung\n".encode("latin-1"))
    with pytest.raises(InvalidFile) as raised:
        read_definition(file)
    assert (raised.value.problems[0].line, raised.value.problems[0].column) == (2, 13)


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    file = tmp_path / "marked.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + TEXT.encode())
    assert read_definition(file).name == "late_arrival"


def test_a_missing_file_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="There is no file"):
        read_definition(tmp_path / "none.yaml")


def test_texts_keep_their_letters_whatever_yaml_would_make_of_them() -> None:
    text = changed(("title: Late arrivals", "title: NO"), ("users: Dispatch planners", "users: 0123"))
    text = text.replace("workflow: Planners rebook passengers when an inbound aircraft is late.", "workflow: 12:30")
    use_case = read(text).use_case
    assert isinstance(use_case, UseCase)
    assert (use_case.title, use_case.brief.users, use_case.brief.workflow) == ("NO", "0123", "12:30")


def test_a_document_that_is_a_list_is_not_a_use_case() -> None:
    (problem,) = problems("- a\n- b\n")
    assert problem.message == "A group of keys is wanted; this is a list."


def test_secrets_are_not_shown_back() -> None:
    text = changed(
        ("database: env:DISPATCH, table: flights", "database: 'postgresql://me:hunter2@db/x', table: flights")
    )
    (problem,) = problems(text)
    assert "password" in problem.message
    assert "hunter2" not in str(problem)
