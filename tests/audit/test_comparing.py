"""Two audits beside each other."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pilotage.audit.records import Cost
from pilotage.audit.rules.comparing import compared, in_words, moved
from tests.audit.reports import AT, finding, small

LATER = AT + timedelta(days=9)


def test_findings_are_matched_by_their_identifiers() -> None:
    before = small(finding("gone"), finding("stays"), finding("grows", share=0.1))
    after = small(finding("stays"), finding("grows", share=0.3), finding("comes"), made_at=LATER)
    found = compared(before, after)
    assert [change.id for change in found.gone] == ["gone:orders.amount"]
    assert [change.id for change in found.new] == ["comes:orders.amount"]
    assert [(change.id, change.says) for change in found.worse] == [("grows:orders.amount", "10.0% → 30.0% of rows")]
    assert found.better == ()
    assert found.unchanged == 1
    assert in_words(found) == "Since 3 Jun 2026, 09:30 UTC: 1 gone, 1 worse, 1 new."


@pytest.mark.parametrize(
    ("before", "after", "direction"),
    [
        (finding(severity="warns"), finding(severity="blocks"), 1),
        (finding(severity="blocks", share=0.1), finding(severity="informs", share=0.9), -1),
        (finding(share=0.100), finding(share=0.104), 0),
        (finding(share=0.100), finding(share=0.120), 1),
        (finding(share=0.001), finding(share=0.003), 0),
        (finding(cost=Cost("skill", 0.02, ""), share=0.1), finding(cost=Cost("skill", 0.01, ""), share=0.9), -1),
        (finding(cost=Cost("skill", 0.02, ""), share=0.1), finding(cost=Cost("rows", 0.01, ""), share=0.9), 1),
        (finding(concerns=100), finding(concerns=200), 1),
        (finding(), finding(), 0),
    ],
)
def test_severity_decides_then_cost_then_share_then_rows_each_with_a_tolerance(
    before: object, after: object, direction: int
) -> None:
    assert moved(before, after)[0] == direction  # type: ignore[arg-type]


def test_an_audit_is_as_it_was_when_nothing_changed() -> None:
    same = small(finding("stays"), overall=80.0)
    assert in_words(compared(same, same)) == (
        "Since 3 Jun 2026, 09:30 UTC: nothing changed, 1 as before. Maturity 80 of 100, as before."
    )


def test_the_maturity_is_compared_too() -> None:
    found = compared(small(overall=61.24), small(overall=70.0, made_at=LATER))
    assert in_words(found).endswith("Maturity 61.2 → 70.0 of 100.")


def test_a_finding_on_several_columns_stays_itself_when_one_more_joins_them() -> None:
    before = small(finding("late", column="a, b"), finding("odd", column="x"))
    after = small(finding("late", column="a, b, c"), finding("odd", column="y"))
    found = compared(before, after)
    assert found.unchanged == 1
    assert [change.id for change in found.new] == ["odd:orders.y"]
    assert [change.id for change in found.gone] == ["odd:orders.x"]
