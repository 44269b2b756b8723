"""All candidates and the rule on the same held-out decisions; the evidence that a release stands on."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import msgspec
import numpy as np
import pyarrow as pa

from pilotage.audit.records import AuditReport
from pilotage.data import flow as data
from pilotage.data.records import TrainingSet
from pilotage.govern.records import SYSTEM
from pilotage.models.families import FAMILIES
from pilotage.models.families.candidate import Settings
from pilotage.models.flow import bringing, examining, searching
from pilotage.models.flow.task import CLASS_ROWS_MIN, SEED, Task, task_of
from pilotage.models.flow.training import Outcome, measured_of, teach
from pilotage.models.inputs.sentences import remembered
from pilotage.models.records import CandidateName, Comparison, Difference, Measured, Parity, Search, Slice
from pilotage.models.rules import (
    accounting,
    choice,
    coverage,
    differences,
    evaluation,
    fairness_told,
    lasting,
    reasons,
    ripeness,
    slices,
    wording,
)
from pilotage.models.rules.choice import Contest, Recommendation
from pilotage.models.rules.judging.category import UNKNOWN
from pilotage.models.rules.judging.judge import Judged
from pilotage.platform.errors import EvidenceMissing
from pilotage.platform.identifiers import new_id
from pilotage.platform.workspace import Workspace
from pilotage.usecase import flow as usecase
from pilotage.usecase.records import Definition, seconds
from pilotage.usecase.rules.expressions import compile_row

COMPARISON, PARITY = "comparison", "parity"
RULE_LATENCY_ROWS = 2_000
RARE_NAMED_MAX = 5
RULE, PEOPLE = "The rule of today", "What people decided"
Say = Callable[[str], None]


def train_and_compare(work: Workspace, definition: Definition, say: Say) -> Comparison:
    """Train every candidate on the newest training set, measure them and the rule, keep the evidence.

    Raises:
        EvidenceMissing: there is no training set of this file's text, or too little in it to learn and to judge; or
            something in the file was guessed and nobody confirmed it.
    """
    usecase.demand_confirmed(definition)
    training_set = data.latest_training_set(work, definition.name)
    if training_set.definition != definition.substance:
        raise EvidenceMissing(
            f"The training set of {definition.name} was built from an earlier text of the use-case file.",
            f"Build it again: pilotage build {definition.name}",
        )
    comparison = compare_on(work, definition, training_set, data.training_rows(work, training_set), say)
    held = (comparison.calibrate_to, comparison.held_out_to)
    data.note_holdout_use(work, training_set, comparison.id, comparison.train_to, held, SYSTEM.name)
    return comparison


@dataclass(frozen=True)
class Tried:
    """All candidates of a comparison: who has figures, on what they stand, what became of the learnt ones."""

    measured: tuple[Measured, ...]
    judged: dict[CandidateName, Judged]
    outcomes: dict[CandidateName, Outcome]
    searches: dict[CandidateName, Search]
    refused: dict[CandidateName, str]


def compare_on(
    work: Workspace, definition: Definition, training_set: TrainingSet, rows: pa.Table, say: Say
) -> Comparison:
    """The same, on the given rows of a training set, sorted by moment."""
    with remembered(say):
        return _compared_on(work, definition, training_set, rows, say)


def _compared_on(
    work: Workspace, definition: Definition, training_set: TrainingSet, rows: pa.Table, say: Say
) -> Comparison:
    task = task_of(definition, training_set, rows)
    say(_begun(task))
    audit = _audit(work, definition)
    if audit is None:
        say(f"Not audited as it is now: pilotage audit {definition.name} says whether the data can be trusted.")
    tried = _tried(work, task, say)
    blockers = () if audit is None else tuple(each.message for each in audit.findings if each.severity == "blocks")
    contest = _contest(task, tried)
    advice = choice.recommend(contest, reasons.reason)
    looked = _looked(contest, advice)
    if looked is not None:
        name = wording.short(contest.of(looked))
        grouped = examining.grouped(task, looked, tried.judged[looked].said, tried.judged["rule"].said)
        advice = choice.limited(advice, name, fairness_told.crossings(grouped))
        advice = choice.unripe(advice, name, ripeness.unripe(task.split, definition.use_case.outcome.matures))
    advice = choice.blocked(advice, blockers)
    comparison = _comparison(work, task, tried, contest, advice, blockers, looked)
    cautions = _cautions(task, audit)
    if looked is not None:
        one = contest.of(looked)
        cautions += coverage.cautions(wording.short(one), one.measures.get("coverage"))
    comparison = msgspec.structs.replace(comparison, cautions=cautions)
    if looked is not None:
        examined = examining.examine(work, task, _closer(tried, looked), _learning_seconds(tried), say)
        comparison = msgspec.structs.replace(
            comparison,
            fairness=grouped,
            learning=examined.learning,
            ablation=examined.ablation,
            stability=examined.stability,
            surest=examined.surest,
            bands=examined.bands,
        )
    parities = [msgspec.to_builtins(one.parity) for one in tried.outcomes.values()]
    usecase.keep_evidence(work, definition, PARITY, {"comparison": comparison.id, "candidates": parities})
    usecase.keep_evidence(work, definition, COMPARISON, msgspec.to_builtins(comparison))
    return comparison


def _begun(task: Task) -> str:
    parts, more = task.split, _untaught(task) + "".join(f" {sentence}" for sentence in _left_out(task))
    if not parts.clocked:
        return (
            f"Learning from {len(parts.train):,} decisions, calibrating on {len(parts.calibrate):,} drawn from among "
            f"them, judging on the {len(parts.held_out):,} that the file sets apart.{more}"
        )
    return (
        f"Learning from {len(parts.train):,} decisions before {parts.train_to:%Y-%m-%d}, calibrating on "
        f"{len(parts.calibrate):,} before {parts.calibrate_to:%Y-%m-%d}, judging on {len(parts.held_out):,} after that."
        f"{more}"
    )


def _left_out(task: Task) -> tuple[str, ...]:
    """Which decisions with an outcome are in no part, and why."""
    parts, beside = task.split, 0
    if task.definition.use_case.decision.judged and parts.clocked:
        others = ~np.array(task.rows["judged"].fill_null(False).to_numpy(), dtype=np.bool_)
        beside = int((others & (parts.days >= (parts.calibrate_to.date() - date(1970, 1, 1)).days)).sum())
    return accounting.left_out(parts, task.rows.num_rows, beside, task.definition.use_case.outcome.matures)


def _untaught(task: Task) -> str:
    """The categories that no candidate can answer, because the training part has too few of them."""
    if task.kind != "category":
        return ""
    labels = task.rows["label"].to_pylist()
    rare = sorted(set(labels) - set(task.classes))
    if not rare:
        return ""
    judged = int((task.labels[task.split.held_out] == UNKNOWN).sum())
    named = ", ".join(rare[:RARE_NAMED_MAX]) + (" …" if len(rare) > RARE_NAMED_MAX else "")
    return (
        f" Not learnt, for want of {CLASS_ROWS_MIN} rows in the training part: {named}. {judged:,} of the judged "
        "decisions have such a category and are wrong whatever is answered."
    )


def _tried(work: Workspace, task: Task, say: Say) -> Tried:
    """The rule, people where they decided, and every candidate that the file wants, simplest first."""
    said = [_told(task, "rule", RULE, _rule_latency_us(task))]
    if task.definition.use_case.human is not None:
        said.append(_told(task, "human", PEOPLE, 0.0))
    judged = {measured.candidate: one for measured, one in said}
    measured = [one for one, _ in said]
    outcomes: dict[CandidateName, Outcome] = {}
    only = task.definition.use_case.candidates.only
    wanted = [one for one in FAMILIES if not only or one.name in only]
    searches = searching.search_all(task, wanted, say)
    refused: dict[CandidateName, str] = {}
    for candidate in wanted:
        if not task.encoded(candidate.texts)[0].tells:
            refused[candidate.name] = "There is nothing to learn from: its texts have too few words in common."
            say(f"{candidate.titles[task.kind]}: refused. {refused[candidate.name]}")
            continue
        outcome = outcomes[candidate.name] = teach(work, task, candidate, _settings(searches, candidate.name))
        say(_learnt(candidate.titles[task.kind], outcome))
        if outcome.measured is not None:
            measured.append(outcome.measured)
            judged[candidate.name] = outcome.judged
    for name, title, brought in bringing.bring(work, task):
        if isinstance(brought, str):
            refused[name] = brought
            say(f"{title}: refused. {brought}")
            continue
        outcomes[name] = brought
        say(_learnt(title, brought))
        if brought.measured is not None:
            measured.append(brought.measured)
            judged[name] = brought.judged
    return Tried(tuple(measured), judged, outcomes, searches, refused)


def _settings(searches: dict[CandidateName, Search], name: CandidateName) -> Settings:
    """What the search chose; the family's own where none was made."""
    return searches[name].chosen if name in searches else {}


def _closer(tried: Tried, name: CandidateName) -> examining.Looked:
    """The model to look at closely."""
    measured = next(one for one in tried.measured if one.candidate == name)
    outcome, rule = tried.outcomes[name], tried.judged["rule"].said
    settings = _settings(tried.searches, name)
    return examining.Looked(measured, tried.judged[name].said, rule, outcome.digest, outcome.rows, settings)


def _learning_seconds(tried: Tried) -> float:
    return sum(one.train_seconds for one in tried.measured)


def _comparison(
    work: Workspace,
    task: Task,
    tried: Tried,
    contest: Contest,
    advice: Recommendation,
    blockers: tuple[str, ...],
    sliced: CandidateName | None,
) -> Comparison:
    parts, definition = task.split, task.definition
    parted: tuple[Slice, ...] = ()
    left_out = 0
    if sliced is not None:
        parted, left_out = slices.measured(task.judge, _slicing(task), tried.judged[sliced], tried.judged["rule"])
    return Comparison(
        id=new_id("cmp", work.clock.now()),
        use_case=definition.name,
        training_set=task.training_set.id,
        train_to=parts.train_to,
        calibrate_to=parts.calibrate_to,
        held_out_to=parts.held_out_to,
        rows_train=len(parts.train),
        rows_calibrate=len(parts.calibrate),
        rows_held_out=len(parts.held_out),
        currency=contest.currency,
        candidates=tried.measured,
        best=advice.best,
        recommended=advice.recommended,
        reason=advice.reason,
        artefacts={name: one.digest for name, one in tried.outcomes.items() if one.measured is not None},
        made_at=work.clock.now(),
        verdict=advice.verdict,
        kind=task.kind,
        unit=definition.use_case.outcome.unit,
        classes=task.classes,
        judged_by=contest.day,
        blockers=blockers,
        refused=tried.refused | {name: one.refused for name, one in tried.outcomes.items() if one.refused},
        trivial=tuple(one for one, _ in contest.trivial),
        differences=contest.differences,
        sliced=sliced,
        slices=parted,
        slices_left_out=left_out,
        left_out=_left_out(task),
        reviews_free=definition.use_case.brief.value.review_minute == 0,
        searches=tuple(tried.searches.values()),
    )


def _contest(task: Task, tried: Tried) -> Contest:
    """What the recommendation reads: the candidates, their differences to the rule, and the answers without a model."""
    time, rule = task.judge.time, tried.judged["rule"]
    others = [one.candidate for one in tried.measured if one.candidate != "rule"]
    random = np.random.default_rng(SEED)
    alone = [differences.sign_flipped(tried.judged[name].money_days - rule.money_days, random) for name in others]
    apart = tuple(
        Difference(name, evaluation.estimate(tried.judged[name].money_draws - rule.money_draws), p, p_family)
        for name, p, p_family in zip(others, alone, differences.holm(alone), strict=True)
    )
    threshold = next((one.threshold for one in tried.measured if one.is_model), None)
    return Contest(
        candidates=tried.measured,
        money_draws={name: one.money_draws for name, one in tried.judged.items()},
        differences=apart,
        trivial=task.judge.trivial(_last_known(task), threshold),
        rows=len(time.labels),
        days=time.days_count,
        currency=task.definition.use_case.brief.value.currency,
        day="day" if task.split.clocked else "group",
    )


def _last_known(task: Task) -> lasting.Labels | None:
    """By each judging decision the newest outcome that was known by then; None without a clock."""
    if not task.split.clocked:
        return None
    moments = task.rows["moment"].cast(pa.timestamp("us")).to_numpy().astype(np.int64)
    matures_us = seconds(task.definition.use_case.outcome.matures) * 1_000_000
    return lasting.last_known(moments, task.labels, task.split.held_out, matures_us)


def _looked(contest: Contest, advice: Recommendation) -> CandidateName | None:
    """The model to look at closely: the recommended one, else the one that earned most."""
    if advice.recommended != "rule":
        return advice.recommended
    return max(contest.models, key=contest.money, default=None)


def _slicing(task: Task) -> list[tuple[str, list[str | None]]]:
    """The declared groups that models see, and every category that says nothing of a person, on the held-out rows."""
    definition, held_out = task.definition, task.held_out
    request, groups = definition.plan.request, set(definition.use_case.groups)
    personal = {name for name, column in request.items() if column.personal}
    grouped = {name for name, column in request.items() if (column.column or name) in groups}
    names = [
        column.name
        for column in definition.plan.columns
        if column.name in grouped or (column.kind == "category" and column.name not in personal)
    ]
    return [(name, held_out[name].cast(pa.string()).to_pylist()) for name in names]


def _audit(work: Workspace, definition: Definition) -> AuditReport | None:
    """The newest audit, if it was made of the file as it is now."""
    from pilotage.audit import flow as auditing  # here, because every answer's process would load the audit with it

    report = auditing.latest(work, definition.name)
    return report if report is not None and report.definition == definition.substance else None


def _cautions(task: Task, audit: AuditReport | None) -> tuple[str, ...]:
    """Which outcomes were known too late, and what the audit doubts of clocks and of columns that the rule reads."""
    from pilotage.models.rules import peeking  # here, for the same reason

    late = ripeness.cautions(task.split, task.definition.use_case.outcome.matures)
    if audit is None:
        return late
    return (*late, *peeking.clock_cautions(audit.findings), *peeking.cautions(task.definition, audit.findings))


def latest_comparison(work: Workspace, use_case: str) -> Comparison | None:
    """The newest comparison, or None where nothing was trained yet."""
    evidence = usecase.latest_evidence(work, use_case, COMPARISON)
    return None if evidence is None else msgspec.convert(evidence.body, Comparison)


def parity_of(work: Workspace, comparison: Comparison, candidate: CandidateName) -> Parity | None:
    """How a compared candidate's artefact held up against its estimator; None where that was not measured."""
    evidence = usecase.latest_evidence(work, comparison.use_case, PARITY)
    if evidence is None or evidence.body["comparison"] != comparison.id:
        return None
    measured = msgspec.convert(evidence.body["candidates"], list[Parity])
    return next((each for each in measured if each.candidate == candidate), None)


def _told(task: Task, name: str, title: str, latency_us: float) -> tuple[Measured, Judged]:
    """What rule or people said, on the held-out rows; nobody reviews it, as today."""
    answers = task.answers(name)
    said = task.judge.told(answers[task.split.held_out], answers[task.split.calibrate])
    judged = task.judge.judged(said, False, np.random.default_rng(SEED))
    size = len(task.definition.use_case.rule.expression.encode()) if name == "rule" else 0
    return measured_of(task, name, title, judged, latency_us, size, 0.0), judged


def _rule_latency_us(task: Task) -> float:
    """The median time of the rule over one row, in microseconds."""
    says = compile_row(task.definition.use_case.rule.expression)
    taken_ns = []
    for values in task.held_out.slice(0, RULE_LATENCY_ROWS).to_pylist():
        began = time.perf_counter_ns()
        says(values)
        taken_ns.append(time.perf_counter_ns() - began)
    return float(np.median(taken_ns)) / 1000


def _learnt(title: str, outcome: Outcome) -> str:
    if outcome.measured is None:
        return f"{title}: refused. {outcome.refused}"
    return (
        f"{title}: trained in {outcome.measured.train_seconds:.1f} s, proved on {outcome.parity.rows_batch:,} rows "
        f"(0 decisions differ), {outcome.measured.latency_us:.0f} µs a row."
    )
