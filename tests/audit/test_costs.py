"""What findings cost: the columns they reach, and what a quick model says these are worth."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from pilotage.audit.measured import Measured
from pilotage.audit.measured.reference import ReferenceFigures
from pilotage.audit.records import Cost, Finding, Severity, Topic
from pilotage.audit.rules.costs import concerned, cost_of, with_costs
from pilotage.platform.workspace import Workspace
from pilotage.usecase.flow import parse_definition
from tests.audit.claims import TEXT, audited, claims
from tests.data.shop import TEXT as SHOP
from tests.data.shop import shop


def finding(
    code: str, source: str, column: str, share: float = 0.0, topic: Topic = "completeness", cost: Cost | None = None
) -> Finding:
    severity: Severity = "warns"
    return Finding(
        code, topic, severity, source, column, "It is so.", "Mend it.", "a@example.com", share=share, cost=cost
    )


def test_a_finding_reaches_the_inputs_that_take_its_column() -> None:
    definition = shop()
    assert concerned(finding("x", "visits", "grade"), definition) == {"last_grade", "distinct_grade_by_store_2h"}
    assert concerned(finding("x", "orders", "placed_at"), definition) == {"hour"}
    assert "last_score" in concerned(finding("x", "visits", "store"), definition)
    assert concerned(finding("x", "orders", "amount"), definition) == {"amount"}
    assert concerned(finding("x", "orders", "nothing"), definition) == set()
    assert concerned(finding("x", "visits", ""), definition) > {"last_score", "last_grade"}


def test_what_a_column_holds_is_no_fault_of_what_is_looked_up_by_it() -> None:
    definition = shop(
        SHOP.replace(
            "last_grade: {latest: visits, by: store, take: grade", "last_grade: {latest: visits, by: store, take: store"
        )
    )
    for code in ("personal-data", "special-category", "small-groups"):
        assert concerned(finding(code, "orders", "store", topic="sensitive"), definition) == {"store"}
        assert concerned(finding(code, "visits", "store", topic="sensitive"), definition) == {"last_grade"}
        assert concerned(finding(code, "visits", "grade", topic="sensitive"), shop()) >= {"last_grade"}
    assert "last_score" in concerned(finding("orphans", "orders", "store"), definition)


def test_points_at_stake_are_the_worth_of_the_inputs_times_the_share_concerned(work: Workspace, tmp_path: Path) -> None:
    measured, found = audited(work, claims(1, 3_000), tmp_path / "claims")
    definition = parse_definition(TEXT.replace("FOLDER", str(tmp_path / "claims")), "claims.yaml")
    reference = measured.reference
    assert reference.auc is not None
    assert 0.65 < reference.auc < 0.85
    assert max(reference.importance, key=reference.importance.__getitem__) == "amount"
    whole = cost_of(finding("incomplete", "customers", "rating"), measured, definition)
    part = cost_of(finding("incomplete", "customers", "rating", 0.25), measured, definition)
    assert whole is not None
    assert part is not None
    assert whole == Cost("skill", reference.importance["rating"], whole.says)
    assert part.value == pytest.approx(whole.value / 4)
    assert "stand on rating; 25.0% of it is at stake." in part.says
    unused = cost_of(finding("x", "customers", "since", 0.5), measured, definition)
    assert unused == Cost("skill", 0.0, "No input stands on it.")
    assert all(one.cost is not None or not one.share for one in found)
    _without_a_model(measured)


def _without_a_model(measured: Measured) -> None:
    none = msgspec.structs.replace(measured, reference=ReferenceFigures())
    rated = cost_of(finding("incomplete", "customers", "rating", 0.25), none, parse_definition(TEXT, "claims.yaml"))
    assert rated == Cost("rows", 0.25, "25.0% of the rows looked at.")


def test_rows_that_are_lost_cost_their_share_and_a_cost_already_there_is_kept() -> None:
    definition = shop()
    measured = msgspec.convert(
        {"sources": {}, "systems": {}, "leakage": {}, "personal": {}, "groups": {}, "newest": None}
        | {
            "decisions": {"decisions": 0, "labelled": 0, "positives": 0, "balance": [], "small_groups": {}}
            | {"input_completeness": {}, "matches": [], "first": None, "last": None}
        },
        Measured,
    )
    given = Cost("rows", 0.7, "As somebody said.")
    lost = finding("no-outcome", "returns", "", 0.3, "label")
    kept = finding("no-outcome", "returns", "", 0.3, "label", given)
    costs = [one.cost for one in with_costs([lost, kept], measured, definition)]
    assert costs == [Cost("rows", 0.3, "30.0% of the rows looked at."), given]
