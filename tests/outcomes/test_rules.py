"""Which outcomes are new, which correct an earlier one, and which say nothing new."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from pilotage.outcomes.records import JoinedOutcome
from pilotage.outcomes.rules import changes

NOW = datetime(2013, 12, 5, tzinfo=UTC)
DECIDED = [("dec_1", "UA-1"), ("dec_2", "UA-2"), ("dec_3", "UA-1")]

known = st.tuples(st.booleans(), st.integers(0, 5).map(lambda hours: NOW + timedelta(hours=hours)))
happenings = st.dictionaries(st.sampled_from(["UA-1", "UA-2", "UA-3"]), known)


def joined_after(before: dict[str, JoinedOutcome], found: list[JoinedOutcome]) -> dict[str, JoinedOutcome]:
    return before | {each.decision: each for each in found}


def test_each_decision_about_an_entity_gets_its_outcome() -> None:
    found = changes(DECIDED, {"UA-1": (True, NOW)}, {}, "late", NOW)
    assert [(each.decision, each.happened, each.revision) for each in found] == [("dec_1", True, 1), ("dec_3", True, 1)]


@given(happenings)
def test_repeating_changes_nothing(happened: dict[str, tuple[bool, datetime]]) -> None:
    joined = joined_after({}, changes(DECIDED, happened, {}, "late", NOW))
    assert changes(DECIDED, happened, joined, "late", NOW + timedelta(days=1)) == []


def test_a_correction_becomes_revision_two() -> None:
    joined = joined_after({}, changes(DECIDED, {"UA-2": (False, NOW)}, {}, "late", NOW))
    (found,) = changes(DECIDED, {"UA-2": (True, NOW + timedelta(hours=1))}, joined, "late", NOW)
    assert (found.decision, found.happened, found.revision) == ("dec_2", True, 2)


def test_what_was_known_earlier_corrects_nothing() -> None:
    joined = joined_after({}, changes(DECIDED, {"UA-2": (True, NOW)}, {}, "late", NOW))
    assert changes(DECIDED, {"UA-2": (False, NOW - timedelta(hours=1))}, joined, "late", NOW) == []


@given(happenings, st.permutations(DECIDED))
def test_the_order_of_decisions_does_not_matter(
    happened: dict[str, tuple[bool, datetime]], shuffled: list[tuple[str, str]]
) -> None:
    in_order = joined_after({}, changes(DECIDED, happened, {}, "late", NOW))
    assert joined_after({}, changes(shuffled, happened, {}, "late", NOW)) == in_order


@given(st.lists(happenings, max_size=5), st.randoms(use_true_random=False))
def test_the_newest_known_counts_in_whatever_order_it_comes(
    pulls: list[dict[str, tuple[bool, datetime]]], random: object
) -> None:
    # At one instant a source knows one thing: two pulls that differ must differ in when it was known.
    settled = [{entity: (at.hour % 2 == 0, at) for entity, (_, at) in pull.items()} for pull in pulls]
    shuffled = list(settled)
    random.shuffle(shuffled)  # type: ignore[attr-defined]

    def final(order: list[dict[str, tuple[bool, datetime]]]) -> dict[str, tuple[bool, datetime]]:
        joined: dict[str, JoinedOutcome] = {}
        for pull in order:
            joined = joined_after(joined, changes(DECIDED, pull, joined, "late", NOW))
        return {decision: (each.happened, each.known_at) for decision, each in joined.items()}

    assert final(shuffled) == final(settled)
