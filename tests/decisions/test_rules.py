"""How an answer comes about."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.living import signed_version
from tests.review.arranging import a_decision, adopt

from pilotage.decisions.records import Arm
from pilotage.decisions.rules import Opinion, answer_of, arm_of, as_of, band_of, choose
from pilotage.models import flow as modelling
from pilotage.models.records import Prediction
from pilotage.platform.workspace import Workspace
from pilotage.releases.records import Stage

NOW = datetime(2013, 12, 5, tzinfo=UTC)

CHOICES = [
    # stage, arm, quiet, failure, model, rule, default -> who, why, what
    (Stage.OFF, "rule", "off", "", None, True, False, ("rule", "off", True)),
    (Stage.SHADOW, "rule", "", "", True, False, False, ("rule", "shadow", False)),
    (Stage.SHADOW, "rule", "", "model_failed", None, True, False, ("rule", "shadow", True)),
    (Stage.ASSIST, "model", "", "", True, False, False, ("model", "model", True)),
    (Stage.ASSIST, "rule", "", "", True, False, False, ("rule", "rule_arm", False)),
    (Stage.ASSIST, "model", "", "too_slow", None, True, False, ("rule", "too_slow", True)),
    (Stage.ASSIST, "model", "disabled", "", None, True, False, ("rule", "disabled", True)),
    (Stage.ASSIST, "model", "disabled", "", True, False, False, ("rule", "disabled", False)),
    (Stage.AUTOMATE, "model", "", "", False, True, True, ("model", "model", False)),
    (Stage.AUTOMATE, "model", "", "not_finite", None, None, True, ("default", "missing_columns", True)),
    (Stage.AUTOMATE, "model", "", "", True, None, False, ("model", "model", True)),
    (Stage.OFF, "rule", "off", "", None, None, False, ("default", "missing_columns", False)),
]


def opinion(answer: bool | None, failure: str = "") -> Opinion:
    return Opinion(None if answer is None else Prediction(answer, 0.5, review=False), failure)


@pytest.mark.parametrize(("stage", "arm", "quiet", "failure", "model", "rule", "default", "wanted"), CHOICES)
def test_who_answers(
    stage: Stage,
    arm: Arm,
    quiet: str,
    failure: str,
    model: bool | None,
    rule: bool | None,
    default: bool,
    wanted: tuple[str, str, bool],
) -> None:
    choice = choose(stage, arm, quiet, opinion(model, failure), rule, default)
    assert (choice.produced_by, choice.reason, choice.answer) == wanted


@given(
    st.sampled_from(Stage),
    st.sampled_from(["model", "rule"]),
    st.sampled_from(["", "disabled", "off"]),
    st.sampled_from([None, True, False]),
    st.sampled_from([None, True, False]),
    st.booleans(),
)
def test_there_is_always_an_answer_and_the_model_gives_it_only_where_it_may(
    stage: Stage, arm: Arm, quiet: str, model: bool | None, rule: bool | None, default: bool
) -> None:
    choice = choose(stage, arm, quiet, opinion(model), rule, default)
    if choice.produced_by == "model":
        assert (arm, quiet, choice.answer) == ("model", "", model)
    else:
        assert choice.answer == (default if rule is None else rule)


@pytest.mark.parametrize("share", [0.05, 0.2, 0.5, 1.0])
def test_the_share_is_kept(share: float) -> None:
    entities = [f"UA-{number}" for number in range(20_000)]
    model = sum(arm_of("late", entity, Stage.ASSIST, share) == "model" for entity in entities)
    assert model / len(entities) == pytest.approx(share, abs=0.012)


@given(st.text(min_size=1), st.floats(0.01, 1), st.floats(0.01, 1))
def test_an_entity_stays_on_its_side_when_the_share_grows(entity: str, one: float, other: float) -> None:
    small, large = sorted((one, other))
    if arm_of("late", entity, Stage.ASSIST, small) == "model":
        assert arm_of("late", entity, Stage.AUTOMATE, large) == "model"
    assert arm_of("late", entity, Stage.ASSIST, small) == arm_of("late", entity, Stage.ASSIST, small)


@pytest.mark.parametrize("stage", [Stage.OFF, Stage.SHADOW])
def test_before_assist_nobody_is_in_the_models_share(stage: Stage) -> None:
    assert {arm_of("late", str(number), stage, 1.0) for number in range(100)} == {"rule"}


@pytest.mark.parametrize(
    ("probability", "band"),
    [
        (0.0, "low"),
        (0.2199, "low"),
        (0.22, "uncertain"),
        (0.25, "uncertain"),
        (0.28, "uncertain"),
        (0.2801, "high"),
        (1.0, "high"),
    ],
)
def test_bands_meet_at_the_bounds(work: Workspace, probability: float, band: str) -> None:
    version = signed_version(work, adopt(work), 1)
    scorer = modelling.load_artefact(work, version.artefact, version.signature)
    assert band_of(scorer._flag(probability)) == band


def test_in_shadow_nothing_of_the_model_leaves_the_ledger() -> None:
    shadow = answer_of(a_decision(NOW, stage="shadow", arm="rule", produced_by="rule", reason="shadow", review=True))
    assert (shadow.probability, shadow.band, shadow.review, shadow.signals) == (None, None, False, ())


def test_the_models_own_answer_comes_with_its_reasons() -> None:
    shown = answer_of(a_decision(NOW))
    assert (shown.probability, shown.band, len(shown.signals)) == (0.68, "high", 3)


def test_only_what_is_known_counts_and_never_the_future() -> None:
    later, earlier = NOW.replace(year=2014), NOW.replace(year=2012)
    assert (as_of(later, NOW), as_of(earlier, NOW), as_of(None, NOW)) == (NOW, earlier, NOW)
