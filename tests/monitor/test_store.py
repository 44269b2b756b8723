"""What came of answers, summed up by the database: the same as one by one, of every kind, on both databases."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import timedelta

import pytest
from tests.living import happened
from tests.review.arranging import NAME, a_decision, record

from pilotage.decisions.records import Said
from pilotage.monitor import store
from pilotage.platform.workspace import Workspace
from pilotage.usecase.records import OutcomeKind
from pilotage.usecase.rules.value import WORTH, came_of

pytestmark = pytest.mark.both_stores
ANSWERS: dict[OutcomeKind, tuple[Said, ...]] = {
    "flag": (True, False),
    "category": ("it's “late”", "early", 'a "b" \\ c'),
    "number": (-3.5, 0.0, 12.0, 1e-7, 2e17),
}
INSTEAD: dict[OutcomeKind, Said] = {"flag": False, "category": "early", "number": 0.0}


def filled(work: Workspace, kind: OutcomeKind) -> dict[tuple[str, str, bool], dict[str, float]]:
    """Decisions with outcomes in the ledger; what came of them, counted here, by day, answerer and model's view."""
    chance, wanted = random.Random(7), defaultdict(lambda: defaultdict(float))
    for number in range(120):
        at = work.clock.now() - timedelta(days=number % 3)
        model, rule = (chance.choice((*ANSWERS[kind], None)) for _ in range(2))
        given, truth = chance.choice(ANSWERS[kind]), chance.choice(ANSWERS[kind])
        interval = {"low": -1.0, "high": 12.0} if kind == "number" and model is not None else {}
        decision = a_decision(at, answer=given, model_answer=model, rule_answer=rule, **interval)
        record(work, decision)
        happened(work, decision.id, truth, at)
        for answerer, answer in (("model", model), ("rule", rule), ("given", given)):
            came = wanted[str(at.date()), answerer, model is not None]
            came["decisions"] += 1
            for name, amount in came_of(INSTEAD[kind] if answer is None else answer, truth).items():
                came[name] += amount
            came["within"] += bool(interval) and -1.0 <= truth <= 12.0  # type: ignore[operator]
    return dict(wanted)


@pytest.mark.parametrize("kind", ["flag", "category", "number"])
def test_the_sums_are_those_of_each_answer_alone(work: Workspace, kind: OutcomeKind) -> None:
    wanted = filled(work, kind)
    with work.database.reading() as connection:
        found = store.matured(connection, NAME, kind, INSTEAD[kind])
    assert {(each.day, each.answerer, each.compared) for each in found} == set(wanted)
    for each in found:
        came = wanted[each.day, each.answerer, each.compared]
        assert each.decisions == came["decisions"]
        names = (*WORTH[kind], *(["within"] if kind == "number" else []))
        assert each.came == pytest.approx({name: came[name] for name in names})
