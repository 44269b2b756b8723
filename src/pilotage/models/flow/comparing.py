"""All candidates and the rule on the same held-out time; the evidence that a release stands on."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pilotage.audit.records import AuditReport
from pilotage.data import flow as data
from pilotage.data.records import TrainingSet
from pilotage.govern.records import SYSTEM
from pilotage.models.flow.training import SEED, Outcome, Task, teach
from pilotage.models.inputs import Encoder
from pilotage.models.records import CandidateName, Comparison, Difference, Measured, Parity, Slice
from pilotage.models.rules import choice, differences, evaluation, reasons, slices, trivial
from pilotage.models.rules.choice import Contest, Recommendation
from pilotage.models.rules.evaluation import Figures, Worth
from pilotage.models.rules.splitting import split
from pilotage.models.tasks import TASKS
from pilotage.models.tasks.candidate import Vector
from pilotage.models.tasks.classify import rule
from pilotage.platform.errors import EvidenceMissing
from pilotage.platform.identifiers import new_id
from pilotage.platform.workspace import Workspace
from pilotage.usecase import flow as usecase
from pilotage.usecase.records import Definition, seconds
from pilotage.usecase.rules.expressions import compile_row

COMPARISON, PARITY = "comparison", "parity"
RULE_LATENCY_ROWS = 2_000


def train_and_compare(work: Workspace, definition: Definition, say: Callable[[str], None]) -> Comparison:
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


def compare_on(
    work: Workspace, definition: Definition, training_set: TrainingSet, rows: pa.Table, say: Callable[[str], None]
) -> Comparison:
    """The same, on the given rows of a training set, sorted by moment."""
    task, ruled = _prepared(definition, training_set, rows)
    parts = task.split
    say(
        f"Learning from {len(parts.train):,} decisions before {parts.train_to:%Y-%m-%d}, calibrating on "
        f"{len(parts.calibrate):,} before {parts.calibrate_to:%Y-%m-%d}, judging on {len(parts.held_out):,} after that."
    )
    if parts.rows_shared:
        say(
            f"{parts.entities_shared:,} entities stand in several of these parts: their {parts.rows_shared:,} later "
            "decisions are left out, so that none is judged on what it taught."
        )
    audit = _audit(work, definition)
    if audit is None:
        say(f"Not audited as it is now: pilotage audit {definition.name} says whether the data can be trusted.")
    rule_measured, rule_figures = _rule(task, ruled)
    outcomes: dict[CandidateName, Outcome] = {}
    for candidate in TASKS["classify"]:
        outcome = outcomes[candidate.name] = teach(work, task, candidate)
        say(_told(candidate.title, outcome))
    proved = {name: outcome for name, outcome in outcomes.items() if outcome.measured is not None}
    measured = (rule_measured, *(one.measured for one in proved.values() if one.measured is not None))
    figures: dict[CandidateName, Figures] = {name: one.figures for name, one in proved.items()}
    figures["rule"] = rule_figures
    currency = definition.use_case.brief.value.currency
    blockers = () if audit is None else tuple(each.message for each in audit.findings if each.severity == "blocks")
    contest = _contest(task, measured, figures, currency)
    advice = choice.blocked(choice.recommend(contest, reasons.reason), blockers)
    sliced = _sliced(contest, advice)
    parted: tuple[Slice, ...] = ()
    left_out = 0
    if sliced is not None:
        parted, left_out = slices.measured(task.time, _slicing(task), figures[sliced], rule_figures)
    comparison = Comparison(
        id=new_id("cmp", work.clock.now()),
        use_case=definition.name,
        training_set=training_set.id,
        train_to=parts.train_to,
        calibrate_to=parts.calibrate_to,
        held_out_to=parts.held_out_to,
        rows_train=len(parts.train),
        rows_calibrate=len(parts.calibrate),
        rows_held_out=len(parts.held_out),
        currency=currency,
        candidates=measured,
        best=advice.best,
        recommended=advice.recommended,
        reason=advice.reason,
        artefacts={name: one.digest for name, one in proved.items()},
        made_at=work.clock.now(),
        blockers=blockers,
        verdict=advice.verdict,
        trivial=contest.trivial,
        differences=contest.differences,
        sliced=sliced,
        slices=parted,
        slices_left_out=left_out,
    )
    parities = [msgspec.to_builtins(one.parity) for one in outcomes.values()]
    usecase.keep_evidence(work, definition, PARITY, {"comparison": comparison.id, "candidates": parities})
    usecase.keep_evidence(work, definition, COMPARISON, msgspec.to_builtins(comparison))
    return comparison


def _contest(
    task: Task, measured: tuple[Measured, ...], figures: dict[CandidateName, Figures], currency: str
) -> Contest:
    """What the recommendation reads: the candidates, their differences to the rule, and the answers without a model."""
    time, base = task.time, float(task.labels[task.split.train].mean())
    same, same_draws = trivial.measured(time, base, task.threshold, task.worth)
    rule_figures, models = figures["rule"], [one.candidate for one in measured if one.candidate != "rule"]
    random = np.random.default_rng(SEED)
    alone = [differences.sign_flipped(figures[name].money_days - rule_figures.money_days, random) for name in models]
    apart = tuple(
        Difference(name, evaluation.estimate(figures[name].money_draws - rule_figures.money_draws), p, p_family)
        for name, p, p_family in zip(models, alone, differences.holm(alone), strict=True)
    )
    draws = {name: one.money_draws for name, one in figures.items()}
    return Contest(measured, draws, apart, same, same_draws, len(time.labels), time.days_count, currency)


def _sliced(contest: Contest, advice: Recommendation) -> CandidateName | None:
    """The model to look at slice by slice: the recommended one, else the one that earned most."""
    if advice.recommended != "rule":
        return advice.recommended
    return max(contest.models, key=contest.money, default=None)


def _slicing(task: Task) -> list[tuple[str, list[str | None]]]:
    """The declared groups that models see, and every category that says nothing of a person, on the held-out rows."""
    definition = task.definition
    request, groups = definition.plan.request, set(definition.use_case.groups)
    personal = {name for name, column in request.items() if column.personal}
    grouped = {name for name, column in request.items() if (column.column or name) in groups}
    names = [
        column.name
        for column in definition.plan.columns
        if column.name in grouped or (column.kind == "category" and column.name not in personal)
    ]
    return [(name, task.held_out[name].cast(pa.string()).to_pylist()) for name in names]


def _audit(work: Workspace, definition: Definition) -> AuditReport | None:
    """The newest audit, if it was made of the file as it is now."""
    from pilotage.audit import flow as auditing  # here, because every answer's process would load the audit with it

    report = auditing.latest(work, definition.name)
    return report if report is not None and report.definition == definition.substance else None


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


def _prepared(definition: Definition, training_set: TrainingSet, rows: pa.Table) -> tuple[Task, Vector]:
    """What all candidates share, and the rule's answers; rows without an outcome are left out."""
    rows = rows.filter(rows["label"].is_valid())
    if not rows.num_rows:
        raise EvidenceMissing(
            f"No row of the training set of {definition.name} has an outcome.",
            "Sync the outcome's source, then build again: pilotage sync, pilotage build.",
        )
    labels = np.array(rows["label"].to_numpy(), dtype=np.bool_)
    moments = rows["moment"].cast(pa.timestamp("us")).to_numpy()
    use_case, plan = definition.use_case, definition.plan
    _demand_clock(definition, moments)
    entities = rows["entity"].combine_chunks().dictionary_encode().indices.to_numpy()
    parts = split(moments, labels, timedelta(seconds=seconds(use_case.outcome.matures)), entities)
    encoder = Encoder.fitted(plan.columns, rows.take(pa.array(parts.train)))
    judged = parts.held_out
    at = choice.threshold(use_case.policy, use_case.brief.value)
    task = Task(
        definition=definition,
        training_set=training_set,
        split=parts,
        encoder=encoder,
        matrix=encoder.table(rows),
        labels=labels,
        held_out=rows.take(pa.array(judged)).select(list(plan.names)),
        time=evaluation.held_out(labels[judged], parts.days[judged], np.random.default_rng(SEED)),
        worth=Worth.of(use_case.brief.value, use_case.review.minutes_per_case),
        threshold=at,
        uncertain=choice.uncertain_band(use_case.policy, at),
    )
    return task, rule.scores(rows["rule"])


def _demand_clock(definition: Definition, moments: NDArray[np.datetime64]) -> None:
    """Without a clock there is no time that the candidates have not seen: nothing to judge them on."""
    name = definition.use_case.decision.source
    if moments[0] == moments[-1] and name and definition.use_case.sources[name].is_static:
        raise EvidenceMissing(
            f"All decisions of {definition.name} lie in one instant: its source {name} is static, it has no clock. "
            "Candidates are judged on later decisions than they learnt from, and there are none.",
            f"Give {name} an event_time and a known_at, if a column of it says when a row happened.",
        )


def _rule(task: Task, ruled: Vector) -> tuple[Measured, Figures]:
    """The rule on the held-out time; nobody reviews it, as today."""
    calibrate = task.split.calibrate
    rates = rule.rates(ruled[calibrate], task.labels[calibrate])
    scored = ruled[task.split.held_out]
    figures = evaluation.measured(task.time, scored, rule.THRESHOLD, None, task.worth)
    probabilities = rule.probabilities(scored, rates)
    as_rates = evaluation.measured(task.time, probabilities, rule.THRESHOLD, None, task.worth)
    measured = Measured(
        candidate="rule",
        title=rule.TITLE,
        auc=figures.auc,
        precision=figures.precision,
        recall=figures.recall,
        log_loss=as_rates.log_loss,
        calibration_error=as_rates.calibration_error,
        money=figures.money,
        threshold=rule.THRESHOLD,
        alerts_share=figures.alerts_share,
        review_share=0.0,
        latency_us=_rule_latency_us(task),
        size_bytes=len(task.definition.use_case.rule.positive.encode()),
        train_seconds=0.0,
        calibration=as_rates.calibration,
    )
    return measured, figures


def _rule_latency_us(task: Task) -> float:
    """The median time of the rule over one row, in microseconds."""
    says = compile_row(task.definition.use_case.rule.positive)
    taken_ns = []
    for values in task.held_out.slice(0, RULE_LATENCY_ROWS).to_pylist():
        began = time.perf_counter_ns()
        says(values)
        taken_ns.append(time.perf_counter_ns() - began)
    return float(np.median(taken_ns)) / 1000


def _told(title: str, outcome: Outcome) -> str:
    parity = outcome.parity
    if outcome.measured is None:
        return (
            f"{title}: refused. Read back, it differs from what was trained by up to {parity.difference_max:.1e} "
            f"and decides {parity.flips} of {parity.rows_batch + parity.rows_single:,} rows otherwise."
        )
    return (
        f"{title}: trained in {outcome.measured.train_seconds:.1f} s, proved on {parity.rows_batch:,} rows "
        f"(0 decisions differ), {outcome.measured.latency_us:.0f} µs a row."
    )
