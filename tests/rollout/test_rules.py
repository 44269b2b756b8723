"""The seven gates: each passes, fails, or says what it still waits for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from tests.review.arranging import FILE, of_kind

from pilotage.audit.records import AuditReport, Finding
from pilotage.models.records import Comparison, Parity
from pilotage.models.suite import Limits, Result, SuiteReport
from pilotage.monitor.records import Answerer, Operation, Quality, Runs, Service
from pilotage.releases import rules as release_rules
from pilotage.releases.records import ColumnParity, LiveParity, Stage, Version
from pilotage.rollout import overview, rules
from pilotage.rollout.records import GateName, GateOutcome, GateResult
from pilotage.rollout.rules import Dossier
from pilotage.usecase.flow import parse_definition
from pilotage.usecase.records import Value

NOW = datetime(2013, 12, 5, tzinfo=UTC)
DEFINITION = parse_definition(FILE, "late_arrival.yaml")
BLOCKS = Finding("late", "leakage", "blocks", "arrivals", "arr_delay", "arr_delay comes too late", "", "")


def quality(answerer: Answerer, decisions: int, money: float) -> Quality:
    return Quality(answerer, decisions, {"alerts": decisions // 5, "precision": 0.5, "recall": 0.6}, money)


SERVICE = Service(asked=600, latencies=600, latency_p50_us=900, latency_p99_us=9_000)
OPERATION = Operation(
    use_case="late_arrival",
    kind="flag",
    unit="",
    currency="USD",
    decisions=600,
    matured=400,
    hours=(),
    produced_by={"model": 600},
    reasons={},
    model_asked=600,
    failures={},
    quality=(quality("model", 400, 2000.0), quality("rule", 400, 1000.0), quality("given", 400, 2000.0)),
    service=SERVICE,
    recent=SERVICE,
    shown=0,
    useful=0,
    wrong=0,
    overrides=0,
    override_reasons={},
    escalations=0,
    reviews_open=0,
    reviews_done=0,
    review_minutes=0.0,
    money_so_far=0.0,
    money_of_rule=0.0,
)
AUDIT = AuditReport("late_arrival", NOW, {}, (), (), (), decisions=1000, labelled=900, positives=200)
PARITY = Parity("additive", rows_batch=5000, rows_single=500, difference_max=0.0, flips=0, passed=True)
LIVE_PARITY = LiveParity(
    version="ver_1",
    artefact="",
    training_set="set_1",
    rows=20_000,
    asked=10_000,
    near=1_000,
    refused={},
    columns=5,
    differing=(),
    score_difference_max=0.0,
    flips=0,
    flip=None,
    seconds=3.0,
)
OTHERWISE = msgspec.structs.replace(LIVE_PARITY, differing=(ColumnParity("carrier", 10_000, 7, 0, 0, 0.0),))
COMPARISON = Comparison(
    id="cmp_1",
    use_case="late_arrival",
    training_set="set_1",
    train_to=NOW,
    calibrate_to=NOW,
    held_out_to=NOW,
    rows_train=1,
    rows_calibrate=1,
    rows_held_out=1,
    currency="USD",
    candidates=(),
    best="boosted",
    recommended="boosted",
    reason="boosted beats the rule",
    artefacts={},
    made_at=NOW,
    verdict="pilot",
)
ASSISTING = msgspec.structs.replace(
    release_rules.first("late_arrival", "", NOW, ""), stage=Stage.ASSIST, share=0.2, version="ver_1"
)
VERSION = Version("ver_1", "late_arrival", 1, "boosted", "", "", "cmp_1", "set_1", NOW, "mara")
TESTS = SuiteReport(
    use_case="late_arrival",
    candidate="boosted",
    artefact="a",
    comparison="cmp_1",
    rows=2000,
    results=(
        Result("missing", "carrier", "PASS", "carrier: few answers change."),
        Result("drift", "", "WARN", "Some."),
    ),
    limits=Limits(),
    made_at=NOW,
)
GIVING_WAY = msgspec.structs.replace(
    TESTS, results=(*TESTS.results, Result("noise", "", "FAIL", "Many answers change."))
)
READY = Dossier(
    definition=DEFINITION,
    live=ASSISTING,
    version=VERSION,
    audit=AUDIT,
    training_set={},
    comparison=COMPARISON,
    parity=PARITY,
    live_parity=LIVE_PARITY,
    operation=OPERATION,
    advantage=(1000.0, 400.0, 1600.0),
    reviewers=1,
    switchers=1,
    card_keys=1,
    log_valid=True,
    definitions=dict.fromkeys(("audit", "training_set", "comparison", "parity"), DEFINITION.substance),
    model_tests=TESTS,
)


def judged(gate: GateName, **changes: Any) -> GateResult:
    return rules.judge(gate, msgspec.structs.replace(READY, **changes), NOW)


def operating(**changes: Any) -> Operation:
    return msgspec.structs.replace(OPERATION, **changes)


def serving(**changes: Any) -> Operation:
    return operating(service=msgspec.structs.replace(SERVICE, **changes))


@pytest.mark.parametrize("gate", rules.GATES)
def test_every_gate_passes_on_good_evidence(gate: GateName) -> None:
    result = judged(gate)
    assert result.outcome == "PASS", result.criteria
    assert all(not criterion.repair for criterion in result.criteria)


WITHOUT_GAIN = msgspec.structs.replace(
    DEFINITION,
    use_case=msgspec.structs.replace(
        DEFINITION.use_case,
        brief=msgspec.structs.replace(
            DEFINITION.use_case.brief, value=msgspec.structs.replace(DEFINITION.use_case.brief.value, caught=0.0)
        ),
    ),
)
STALE = {**READY.definitions, "comparison": "0" * 64}
FAILING: list[tuple[GateName, dict[str, Any], str]] = [
    ("use_case", {"definition": WITHOUT_GAIN}, "brief.value"),
    ("data_audit", {"audit": msgspec.structs.replace(AUDIT, findings=(BLOCKS,))}, "pilotage audit"),
    ("baseline", {"comparison": msgspec.structs.replace(COMPARISON, recommended="rule")}, "Keep the rule"),
    ("baseline", {"parity": msgspec.structs.replace(PARITY, flips=3, passed=False)}, "train again"),
    ("baseline", {"live_parity": OTHERWISE}, "pilotage parity late_arrival"),
    ("baseline", {"live_parity": msgspec.structs.replace(LIVE_PARITY, flips=1)}, "pilotage parity late_arrival"),
    ("baseline", {"definitions": STALE}, "pilotage train late_arrival"),
    ("baseline", {"version": msgspec.structs.replace(VERSION, comparison="cmp_0")}, "pilotage release late_arrival"),
    ("baseline", {"version": msgspec.structs.replace(VERSION, candidate="linear")}, "pilotage release late_arrival"),
    ("service", {"operation": serving(failures={"too_slow": 50, "model_failed": 10})}, "operate page"),
    ("service", {"operation": serving(failures={"definition_changed": 60})}, "operate page"),
    ("service", {"operation": serving(latency_p99_us=150_000)}, "simpler candidate"),
    ("service", {"log_valid": False}, "pilotage verify"),
    ("service", {"model_tests": GIVING_WAY}, "pilotage test late_arrival"),
    (
        "operations",
        {"operation": operating(quality=(quality("model", 400, 900.0), quality("rule", 400, 1000.0)))},
        "Stay in shadow",
    ),
    ("rollout", {"advantage": (-500.0, -900.0, -100.0)}, "Wait"),
]


@pytest.mark.parametrize(("gate", "changes", "repair"), FAILING)
def test_bad_evidence_fails_and_names_the_repair(gate: GateName, changes: dict[str, Any], repair: str) -> None:
    result = judged(gate, **changes)
    assert result.outcome == "FAIL"
    assert any(repair in criterion.repair for criterion in result.criteria if criterion.outcome == "FAIL")


WAITING: list[tuple[GateName, dict[str, Any], str]] = [
    ("data_audit", {"audit": msgspec.structs.replace(AUDIT, positives=30)}, "20 more are needed"),
    ("data_audit", {"audit": None, "definitions": {}}, "none"),
    ("baseline", {"parity": None}, "not measured"),
    ("baseline", {"comparison": None, "definitions": {}}, "none"),
    ("baseline", {"version": None}, "no version is released yet"),
    ("baseline", {"live_parity": None}, "not measured for this version, file and code"),
    ("service", {"operation": serving(asked=120)}, "380 more are needed"),
    ("service", {"model_tests": None}, "it was not tested"),
    ("workflow", {"reviewers": 0}, "0 people"),
    ("workflow", {"card_keys": 0}, "0 keys"),
    (
        "operations",
        {"operation": operating(quality=(quality("model", 100, 900.0), quality("rule", 100, 0.0)))},
        "150 more are needed",
    ),
    ("operations", {"switchers": 0}, "0 people"),
    ("rollout", {"advantage": None}, "fewer"),
    ("rollout", {"advantage": (100.0, -200.0, 400.0)}, "90 % interval"),
    ("rollout", {"live": msgspec.structs.replace(ASSISTING, stage=Stage.SHADOW, share=0.0)}, "stage shadow"),
]


@pytest.mark.parametrize(("gate", "changes", "came"), WAITING)
def test_too_little_evidence_is_neither_good_nor_bad(gate: GateName, changes: dict[str, Any], came: str) -> None:
    result = judged(gate, **changes)
    assert result.outcome == "INCONCLUSIVE"
    waiting = [criterion for criterion in result.criteria if criterion.outcome == "INCONCLUSIVE"]
    assert any(came in criterion.came for criterion in waiting)
    assert all(criterion.repair for criterion in waiting)


def test_few_decisions_do_not_fail_for_being_slow_yet() -> None:
    result = judged("service", operation=serving(asked=10, latency_p99_us=900_000, failures={"too_slow": 10}))
    assert result.outcome == "INCONCLUSIVE"


RUNS = Runs(rows=900, counted=3, in_time=3)


NOBODY = Service()


def by_files(runs: Runs, service: Service = NOBODY) -> GateResult:
    """The gate of a use case that files ask, and apps as ``service`` says."""
    return judged("service", operation=operating(service=service, recent=service, runs=runs))


@pytest.mark.parametrize(
    ("changes", "outcome", "criterion", "came"),
    [
        ({}, "PASS", "enough decisions", "0 asked by apps over HTTP, 900 as rows of files; judged by files"),
        ({"rows": 100}, "INCONCLUSIVE", "enough decisions", "100 as rows of files; 400 more are needed of one kind"),
        ({"failures": {"model_failed": 90}}, "FAIL", "technical failures", "10.00% of 900"),
        ({"failures": {"too_slow": 9}, "refused": 50}, "PASS", "technical failures", "50 more rows of files did not"),
        ({"counted": 2, "in_time": 2}, "INCONCLUSIVE", "files in time", "2 of 2 files done in time"),
        ({"in_time": 2}, "FAIL", "files in time", "2 of 3 files done in time"),
        ({"counted": 20, "in_time": 19}, "PASS", "files in time", "19 of 20 files done in time"),
    ],
)
def test_a_use_case_that_only_files_ask_is_judged_by_them(
    changes: dict[str, Any], outcome: GateOutcome, criterion: str, came: str
) -> None:
    result = by_files(msgspec.structs.replace(RUNS, **changes))
    told = {each.name: each for each in result.criteria}
    assert result.outcome == outcome
    assert came in told[criterion].came
    assert ("in time" in told) is (criterion == "enough decisions" and outcome == "INCONCLUSIVE")


def test_where_apps_ask_as_well_their_answers_must_be_in_time_too() -> None:
    slow = Service(asked=20, latencies=20, latency_p50_us=900, latency_p99_us=900_000)
    result = by_files(RUNS, slow)
    assert {each.name: each.outcome for each in result.criteria}["in time"] == "FAIL"


def test_where_apps_ask_enough_files_do_not_stand_in_for_them() -> None:
    result = by_files(msgspec.structs.replace(RUNS, in_time=0), SERVICE)
    assert result.outcome == "PASS"
    assert "judged by apps" in {each.name: each for each in result.criteria}["enough decisions"].came


def test_without_a_decision_no_criterion_speaks_of_time_or_room() -> None:
    result = judged("service", operation=operating(service=Service(), recent=Service()))
    told = {each.name: each for each in result.criteria}
    for name in ("technical failures", "in time"):
        assert (told[name].outcome, told[name].came) == ("INCONCLUSIVE", "no decision yet")
        assert told[name].repair.startswith("Let the app ask in shadow")


@pytest.mark.parametrize(
    ("changes", "repair"),
    [
        ({"decisions": 0, "matured": 0}, "No decision with this version yet: let the app ask in shadow."),
        ({"decisions": 90, "matured": 60}, "Wait for the outcomes of 30 decisions: they mature within 2 days"),
        ({"decisions": 90, "matured": 90}, "No decision waits for an outcome: let the app ask about more cases."),
        ({"decisions": 90, "matured": 20, "known_before": 70}, "70 outcomes had been read before the question"),
    ],
)
def test_too_few_outcomes_say_what_to_wait_for(changes: dict[str, int], repair: str) -> None:
    few = (quality("model", 20, 0.0), quality("rule", 20, 0.0))
    arrive, worth, _ = judged("operations", operation=operating(quality=few, **changes)).criteria
    assert (arrive.outcome, worth.outcome) == ("INCONCLUSIVE", "INCONCLUSIVE")
    assert arrive.repair.startswith(repair) and worth.repair == arrive.repair


def test_a_failure_outweighs_what_is_not_yet_known() -> None:
    assert judged(
        "baseline", parity=None, comparison=msgspec.structs.replace(COMPARISON, recommended="rule")
    ).outcome == ("FAIL")


def test_a_model_that_is_ahead_and_not_proved_is_not_yet_known_to_be_better() -> None:
    reason = "Not enough evidence: about 4,500 more held-out decisions would settle it."
    undecided = msgspec.structs.replace(COMPARISON, recommended="rule", verdict="not_enough_evidence", reason=reason)
    result = judged("baseline", comparison=undecided, parity=None)
    assert result.outcome == "INCONCLUSIVE"
    told = next(criterion for criterion in result.criteria if criterion.name == "better than the rule")
    assert (told.outcome, told.came) == ("INCONCLUSIVE", reason)
    assert told.repair == "Wait for more outcomes, then build and train again."


@pytest.mark.parametrize(
    ("stage", "blocked"), [(Stage.OFF, []), (Stage.SHADOW, ["baseline"]), (Stage.ASSIST, ["baseline", "service"])]
)
def test_a_stage_asks_the_gates_before_it_and_no_others(stage: Stage, blocked: list[str]) -> None:
    outcomes: dict[str, GateOutcome] = {"baseline": "FAIL", "service": "INCONCLUSIVE", "rollout": "FAIL"}
    results = [msgspec.structs.replace(judged(gate), outcome=outcomes.get(gate, "PASS")) for gate in rules.GATES]
    assert [result.gate for result in rules.blocking(rules.needed(stage, 0.2, 0.2), results)] == blocked


def test_beyond_the_agreed_share_assist_asks_all_gates() -> None:
    assert rules.needed(Stage.ASSIST, 0.2, 0.2) == rules.NEEDED[Stage.ASSIST]
    assert rules.needed(Stage.ASSIST, 0.21, 0.2) == rules.GATES
    assert rules.needed(Stage.SHADOW, 1.0, 0.2) == rules.NEEDED[Stage.SHADOW]


@pytest.mark.parametrize(
    ("stage", "share", "more"),
    [
        (Stage.ASSIST, 0.2, False),
        (Stage.ASSIST, 0.1, False),
        (Stage.ASSIST, 0.3, True),
        (Stage.AUTOMATE, 0.1, True),
        (Stage.SHADOW, 1.0, False),
        (Stage.OFF, 1.0, False),
    ],
)
def test_more_is_exposed_by_a_later_stage_or_a_larger_share(stage: Stage, share: float, more: bool) -> None:
    assert rules.rises(ASSISTING, stage, share) is more


def test_the_ladder_has_a_top_and_a_bottom() -> None:
    assert [rules.next_stage(stage) for stage in Stage] == [Stage.SHADOW, Stage.ASSIST, Stage.AUTOMATE, None]
    assert [rules.previous_stage(stage) for stage in Stage] == [None, Stage.OFF, Stage.SHADOW, Stage.ASSIST]


def test_gates_that_the_next_stage_does_not_ask_are_shown_as_later() -> None:
    waiting = judged("service", operation=serving(asked=0))
    assert overview.state_of(waiting, Stage.OFF) == "later"
    assert overview.state_of(waiting, Stage.SHADOW) == "inconclusive"
    assert overview.in_short(waiting) == "2 of 5 met"


def test_what_blocks_the_next_stage_is_each_open_criterion() -> None:
    results = [judged(gate, parity=None) for gate in rules.GATES]
    found = overview.blocked(results, Stage.OFF)
    assert found is not None
    assert (found.stage, [(each.gate, each.criterion.name) for each in found.open]) == (
        Stage.SHADOW,
        [("baseline", "served as trained")],
    )
    assert overview.blocked(results, Stage.AUTOMATE) is None


@pytest.mark.parametrize(
    ("kind", "value", "outcome"),
    [
        ("category", {"right": 1.0, "wrong": -1.0}, "PASS"),
        ("category", {"right": -1.0, "wrong": -1.0}, "FAIL"),
        ("number", {"too_low": -3.0}, "PASS"),
        ("number", {}, "FAIL"),
    ],
)
def test_every_kind_must_say_what_its_answers_are_worth(kind: str, value: dict[str, float], outcome: str) -> None:
    definition = of_kind(kind)
    brief = msgspec.structs.replace(definition.use_case.brief, value=Value(currency="USD", **value))
    use_case = msgspec.structs.replace(definition.use_case, brief=brief)
    dossier = msgspec.structs.replace(READY, definition=msgspec.structs.replace(definition, use_case=use_case))
    found = {each.name: each.outcome for each in rules.judge("use_case", dossier, NOW).criteria}
    assert (found["value"], found["rule"]) == (outcome, "PASS")


def test_a_number_needs_outcomes_and_no_positive_ones() -> None:
    audit = msgspec.structs.replace(AUDIT, positives=0)
    dossier = msgspec.structs.replace(READY, definition=of_kind("number"), audit=audit)
    (enough,) = [each for each in rules.judge("data_audit", dossier, NOW).criteria if each.name == "enough outcomes"]
    assert (enough.outcome, enough.came) == ("PASS", "900 outcomes")
