"""Gates: pure functions from evidence to PASS, FAIL or INCONCLUSIVE. Nobody ticks a box."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from pilotage.audit.records import AuditReport
from pilotage.models.records import Comparison, Parity
from pilotage.models.suite import SuiteReport
from pilotage.monitor.records import Operation, Runs, Service
from pilotage.monitor.rules import DAYS_MIN
from pilotage.monitor.verdicts import FILES_PER_LATE
from pilotage.platform.counting import plural
from pilotage.releases.records import Live, LiveParity, Stage, Version
from pilotage.releases.rules import in_words, reach
from pilotage.rollout.records import Criterion, GateName, GateOutcome, GateResult
from pilotage.usecase.records import Definition, OutcomeKind, Value

GATES: tuple[GateName, ...] = (
    "use_case",
    "data_audit",
    "baseline",
    "service",
    "workflow",
    "operations",
    "rollout",
)

NEEDED: dict[Stage, tuple[GateName, ...]] = {
    Stage.OFF: (),
    Stage.SHADOW: ("use_case", "data_audit", "baseline"),
    Stage.ASSIST: ("use_case", "data_audit", "baseline", "service", "workflow", "operations"),
    Stage.AUTOMATE: GATES,
}
"""The gates that must pass before a stage is entered, or more of its entities reached."""

POSITIVES_MIN = 50
RUNS_MIN = 3
"""Files until it is said whether they are done in time: one says nothing of every night."""
_VERIFIED = {True: "they verify", False: "they do not", None: "a large ledger is being verified just now"}
_NOTHING_ASKED = "no decision yet"
_LET_ASK = "Let the app ask in shadow: over HTTP, or with files as jobs. What single commands ask does not count."


class Dossier(Struct, frozen=True):
    """Everything that the gates read of one use case, gathered at one instant.

    ``operation`` and ``advantage`` are of decisions taken while ``version``, the live one, was live; ``model_tests``
    are those of its artefact. ``log_valid`` is None where the log was not verified yet.
    """

    definition: Definition
    live: Live
    version: Version | None
    audit: AuditReport | None
    training_set: dict[str, Any] | None
    comparison: Comparison | None
    parity: Parity | None
    live_parity: LiveParity | None
    operation: Operation
    advantage: tuple[float, float, float] | None
    reviewers: int
    switchers: int
    card_keys: int
    log_valid: bool | None
    definitions: dict[str, str]
    model_tests: SuiteReport | None = None


def judge(gate: GateName, dossier: Dossier, now: datetime) -> GateResult:
    """What one gate says: FAIL when any criterion fails, else INCONCLUSIVE when any is, else PASS."""
    criteria = _CRITERIA[gate](dossier)
    outcomes = {criterion.outcome for criterion in criteria}
    outcome: GateOutcome = "PASS"
    if "FAIL" in outcomes:
        outcome = "FAIL"
    elif "INCONCLUSIVE" in outcomes:
        outcome = "INCONCLUSIVE"
    evidence = tuple(sorted(f"{kind}:{fingerprint[:12]}" for kind, fingerprint in dossier.definitions.items()))
    return GateResult(dossier.definition.name, gate, outcome, tuple(criteria), evidence, now)


def _criterion(name: str, ok: bool | None, wanted: str, came: str, repair: str = "") -> Criterion:
    outcome: GateOutcome = "INCONCLUSIVE" if ok is None else "PASS" if ok else "FAIL"
    return Criterion(name, outcome, wanted, came, "" if ok else repair)


def _enough(name: str, count: int, least: int, things: str, repair: str) -> Criterion:
    """A count that only grows: too little of it is not a failure, it is not yet known."""
    missing = f"{least - count:,} more are needed" if count < least else ""
    came = f"{count:,} {things}" + (f"; {missing}" if missing else "")
    return _criterion(name, True if count >= least else None, f"at least {least:,} {things}", came, repair)


def _counted(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"


def _use_case(dossier: Dossier) -> list[Criterion]:
    use_case = dossier.definition.use_case
    brief = use_case.brief
    return [
        _criterion("owner", bool(use_case.owner), "a named owner", use_case.owner or "none", "Add owner to the file."),
        _criterion("kpi", bool(brief.kpi), "a business metric", brief.kpi or "none", "Add brief.kpi to the file."),
        _criterion(
            "value",
            *_worth(brief.value, use_case.kind),
            "Correct brief.value: gains are positive, costs negative.",
        ),
        _criterion(
            "rule", bool(use_case.rule.expression), "today's rule, so that there is a fallback", use_case.rule.says
        ),
    ]


def _worth(value: Value, kind: OutcomeKind) -> tuple[bool, str, str]:
    """Whether the file says what answers are worth, what is wanted of it, and what it says."""
    if kind == "flag":
        ok, wanted = value.caught > 0 and value.false_alarm <= 0, "a gain for a caught case, a cost for a false alarm"
        one, other = value.caught, value.false_alarm
    elif kind == "category":
        ok, wanted = value.right > value.wrong, "more for a right answer than for a wrong one"
        one, other = value.right, value.wrong
    else:
        ok, wanted = min(value.too_low, value.too_high) < 0, "a cost per unit too low or too high"
        one, other = value.too_low, value.too_high
    return ok, wanted, f"{one:+g} and {other:+g} {value.currency}"


def _current(dossier: Dossier, kind: str, command: str) -> Criterion:
    """Evidence counts only for the file as it is now."""
    name = dossier.definition.name
    made_for = dossier.definitions.get(kind)
    if made_for is None:
        return _criterion(f"{kind} exists", None, f"a recorded {kind}", "none", f"Run pilotage {command} {name}.")
    fresh = made_for == dossier.definition.substance
    came = "made for this file" if fresh else f"made for an earlier text of the file ({made_for[:12]})"
    return _criterion(
        f"{kind} is of this file", fresh, "made for the present file", came, f"Run pilotage {command} {name}."
    )


def _data_audit(dossier: Dossier) -> list[Criterion]:
    criteria = [_current(dossier, "audit", "audit")]
    is_flag = dossier.definition.use_case.kind == "flag"
    if dossier.audit is not None:
        blocking = [finding for finding in dossier.audit.findings if finding.severity == "blocks"]
        came = "; ".join(finding.message for finding in blocking[:3]) or "nothing blocks"
        criteria.append(_criterion("nothing blocks", not blocking, "no blocking finding", came, "See pilotage audit."))
        criteria.append(
            _enough(
                "enough outcomes",
                dossier.audit.positives if is_flag else dossier.audit.labelled,
                POSITIVES_MIN,
                "positive outcomes" if is_flag else "outcomes",
                "Wait for more outcomes.",
            )
        )
    return criteria


def _baseline(dossier: Dossier) -> list[Criterion]:
    criteria = [_current(dossier, "training_set", "build"), _current(dossier, "comparison", "train")]
    if dossier.comparison is not None:
        recommended = dossier.comparison.recommended
        undecided = dossier.comparison.verdict == "not_enough_evidence"
        criteria.append(
            _criterion(
                "better than the rule",
                None if undecided else recommended != "rule",
                "a candidate that beats the rule on held-out time",
                dossier.comparison.reason,
                "Wait for more outcomes, then build and train again."
                if undecided
                else "Keep the rule, or find better inputs.",
            )
        )
        if recommended != "rule":
            criteria.append(_same(dossier.definition.name, dossier.version, dossier.comparison))
            criteria.append(_live_as_trained(dossier.definition.name, dossier.live_parity))
        parity = dossier.parity
        criteria.append(
            _criterion(
                "served as trained",
                None if parity is None else parity.passed and parity.flips == 0,
                "no decision differs between training and serving",
                "not measured" if parity is None else f"{parity.flips} of {parity.rows_batch:,} rows differ",
                "Run pilotage train again.",
            )
        )
    return criteria


def _same(name: str, version: Version | None, comparison: Comparison) -> Criterion:
    """Evidence about one model must not open the gates for another."""
    title = "what is released is what was compared"
    wanted = f"a version of {comparison.recommended} as the newest comparison trained it"
    repair = f"Run pilotage release {name}."
    if version is None:
        return _criterion(title, None, wanted, "no version is released yet", repair)
    same = version.comparison == comparison.id and version.candidate == comparison.recommended
    of = "the newest" if version.comparison == comparison.id else "another"
    return _criterion(title, same, wanted, f"version {version.number}: {version.candidate} of {of} comparison", repair)


def _live_as_trained(name: str, found: LiveParity | None) -> Criterion:
    """Past rows of the training set, asked through the live path as of their time."""
    return _criterion(
        "answers live as in training",
        None if found is None else found.passed,
        "past rows asked live have the columns and the decisions of the training set",
        "not measured for this version, file and code" if found is None else in_words(found),
        f"Run pilotage parity {name}.",
    )


def _service(dossier: Dossier) -> list[Criterion]:
    by_files = _is_asked_by_files(dossier)
    return [
        _asked_enough(dossier, by_files),
        _failures(dossier, by_files),
        *_timely(dossier, by_files),
        _criterion(
            "recorded whole",
            dossier.log_valid,
            "audit log and ledger verify",
            _VERIFIED[dossier.log_valid],
            "Run pilotage verify.",
        ),
        _tested(dossier),
    ]


def _is_asked_by_files(dossier: Dossier) -> bool:
    """Whether files are the evidence: where apps ask enough over HTTP, they are."""
    least, operation = dossier.definition.use_case.rollout.decisions_min, dossier.operation
    return operation.service.asked < least <= operation.runs.rows


def _asked_enough(dossier: Dossier, by_files: bool) -> Criterion:
    least, service, runs = dossier.definition.use_case.rollout.decisions_min, *_askers(dossier)
    enough = by_files or service.asked >= least
    most = max(service.asked, runs.rows)
    missing = "" if enough else f"; {least - most:,} more are needed of one kind"
    judged = ("; judged by files" if by_files else "; judged by apps") if enough else ""
    came = f"{service.asked:,} asked by apps over HTTP, {runs.rows:,} as rows of files{judged}{missing}"
    wanted = f"at least {least:,} asked by apps, or as rows of files, with this version"
    return _criterion("enough decisions", enough or None, wanted, came, _LET_ASK)


def _askers(dossier: Dossier) -> tuple[Service, Runs]:
    return dossier.operation.service, dossier.operation.runs


def _failures(dossier: Dossier, by_files: bool) -> Criterion:
    rollout, service, runs = dossier.definition.use_case.rollout, *_askers(dossier)
    enough = by_files or service.asked >= rollout.decisions_min
    share, of = (runs.failed_share, runs.rows) if by_files else (service.failed_share, service.asked)
    refused = f"; {runs.refused:,} more rows of files did not fit" if by_files and runs.refused else ""
    return _criterion(
        "technical failures",
        share <= rollout.fallback_share_max if enough else None,
        f"at most {rollout.fallback_share_max:.1%}",
        f"{share:.2%} of {of:,}{refused}" if of else _NOTHING_ASKED,
        "See the operate page for the reasons." if enough else _LET_ASK,
    )


def _timely(dossier: Dossier, by_files: bool) -> list[Criterion]:
    """Apps wait for each answer, a file for its last row: each is judged by what it was promised."""
    use_case, service, runs = dossier.definition.use_case, *_askers(dossier)
    latency_ms, budget_ms = service.latency_p99_us / 1000, use_case.brief.latency_ms
    enough = service.asked >= use_case.rollout.decisions_min or (by_files and service.asked > 0)
    for_apps = _criterion(
        "in time",
        latency_ms <= budget_ms if enough else None,
        f"99 of 100 within {budget_ms} ms",
        f"{latency_ms:.1f} ms of the newest {service.latencies:,}" if service.latencies else _NOTHING_ASKED,
        "Give the service more room or choose a simpler candidate." if enough else _LET_ASK,
    )
    if not by_files:
        return [for_apps]
    late = runs.counted - runs.in_time
    for_files = _criterion(
        "files in time",
        None if runs.counted < RUNS_MIN else late * FILES_PER_LATE <= runs.counted,
        f"at least {RUNS_MIN} files, of {FILES_PER_LATE} at most 1 not done within {use_case.batch.within}",
        f"{runs.in_time:,} of {plural(runs.counted, 'file')} done in time",
        "Let further files come." if runs.counted < RUNS_MIN else "See the page Jobs for what was late or failed.",
    )
    return [for_files, for_apps] if service.asked else [for_files]


def _tested(dossier: Dossier) -> Criterion:
    """A model that gives way where it should not must not be seen by people."""
    name, report = dossier.definition.name, dossier.model_tests
    wanted = "no test of the released model fails"
    if report is None:
        return _criterion("passes its tests", None, wanted, "it was not tested", f"Run pilotage test {name}.")
    failed = ", ".join(result.name for result in report.failed[:3])
    came = f"{len(report.failed)} of {len(report.results)} fail: {failed}" if failed else "none fails"
    return _criterion(
        "passes its tests", report.passed, wanted, came, f"Run pilotage test {name}: it says what is wrong, and where."
    )


def _workflow(dossier: Dossier) -> list[Criterion]:
    name = dossier.definition.name
    reasons = dossier.definition.use_case.review.reasons
    return [
        _criterion(
            "reviewers",
            dossier.reviewers > 0 or None,
            "somebody who may review",
            _counted(dossier.reviewers, "person", "people"),
            f"pilotage person add NAME --role reviewer --use-case {name}",
        ),
        _criterion(
            "card keys",
            dossier.card_keys > 0 or None,
            "a key with which the app may mint card tokens",
            _counted(dossier.card_keys, "key", "keys"),
            f"pilotage key make NAME --role app --use-case {name}",
        ),
        _criterion(
            "override reasons",
            bool(reasons),
            "reasons to choose from",
            f"{len(reasons)} reasons",
            "Add review.reasons.",
        ),
    ]


def _operations(dossier: Dossier) -> list[Criterion]:
    operation = dossier.operation
    least = dossier.definition.use_case.rollout.decisions_min // 2
    model, rule = operation.quality[0], operation.quality[1]
    enough = model.decisions >= least
    return [
        _enough("outcomes arrive", model.decisions, least, "outcomes joined", _awaited(dossier)),
        _criterion(
            "worth it so far",
            model.money > rule.money if enough else None,
            f"more money than the rule on the same {model.decisions:,} decisions",
            f"model {model.money:,.0f}, rule {rule.money:,.0f} {operation.currency}"
            if model.decisions
            else "no outcome yet",
            "Stay in shadow until the evidence turns, or keep the rule." if enough else _awaited(dossier),
        ),
        _criterion(
            "switch",
            dossier.switchers > 0 or None,
            "somebody who may switch it off",
            _counted(dossier.switchers, "person", "people"),
            f"pilotage person add NAME --role owner --use-case {dossier.definition.name}",
        ),
    ]


def _awaited(dossier: Dossier) -> str:
    """What is to be waited for until enough outcomes are joined."""
    operation, outcome = dossier.operation, dossier.definition.use_case.outcome
    if not operation.decisions:
        return "No decision with this version yet: let the app ask in shadow."
    before = ""
    if operation.known_before:
        before = f"{plural(operation.known_before, 'outcome')} had been read before the question and do not count. "
    without = operation.decisions - operation.matured - operation.known_before - operation.judged_blind
    if without <= 0:
        return f"{before}No decision waits for an outcome: let the app ask about more cases."
    return (
        f"{before}Wait for the outcomes of {plural(without, 'decision')}: they mature within {outcome.matures} of the "
        f"decided moment. pilotage outcomes {dossier.definition.name} joins those that came and says of the others why "
        "not."
    )


def _rollout(dossier: Dossier) -> list[Criterion]:
    assisted = dossier.live.stage in (Stage.ASSIST, Stage.AUTOMATE)
    criteria = [
        _criterion(
            "assisting",
            assisted or None,
            "the use case assists a share",
            f"stage {dossier.live.stage}",
            "Advance to assist first.",
        )
    ]
    if dossier.advantage is None:
        criteria.append(
            _criterion(
                "advantage", None, f"at least {DAYS_MIN} days with outcomes", "fewer", "Let it run for some days."
            )
        )
    else:
        total, low, high = dossier.advantage
        verdict = True if low > 0 else False if high < 0 else None
        came = f"{total:+,.0f} {dossier.operation.currency} (90 % interval by days {low:+,.0f} to {high:+,.0f})"
        criteria.append(
            _criterion("advantage", verdict, "more money than the rule, surely above zero", came, "Wait for more days.")
        )
    return criteria


_CRITERIA = {
    "use_case": _use_case,
    "data_audit": _data_audit,
    "baseline": _baseline,
    "service": _service,
    "workflow": _workflow,
    "operations": _operations,
    "rollout": _rollout,
}


def needed(stage: Stage, share: float, agreed: float) -> tuple[GateName, ...]:
    """The gates of a stage for a share of entities: beyond the agreed share (``rollout.assist_share``), all of them."""
    return GATES if stage is Stage.ASSIST and share > agreed else NEEDED[stage]


def rises(live: Live, stage: Stage, share: float) -> bool:
    """Whether more would be exposed to the model than now: a later stage, or more entities in it."""
    ladder = list(Stage)
    return ladder.index(stage) > ladder.index(live.stage) or reach(stage, share) > live.share


def blocking(gates: Sequence[GateName], results: Sequence[GateResult]) -> list[GateResult]:
    """Those of the gates asked that do not pass."""
    return [result for result in results if result.gate in gates and result.outcome != "PASS"]


def next_stage(stage: Stage) -> Stage | None:
    """The next rung of the ladder, None at its top."""
    ladder = list(Stage)
    position = ladder.index(stage) + 1
    return ladder[position] if position < len(ladder) else None


def previous_stage(stage: Stage) -> Stage | None:
    """The rung below, None at the bottom."""
    ladder = list(Stage)
    position = ladder.index(stage)
    return ladder[position - 1] if position else None
