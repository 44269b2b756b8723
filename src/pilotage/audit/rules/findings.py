"""All findings of an audit, those first that forbid or cost most."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from pilotage.audit.measured import Measured, SourceFigures
from pilotage.audit.records import Finding, Severity
from pilotage.audit.rules.leakage import leakage_findings
from pilotage.audit.rules.owners import names_of, owner_of
from pilotage.audit.rules.sensitive import sensitive_columns
from pilotage.data.rules.needs import needed_columns
from pilotage.usecase.records import Definition, Given, Latest, Window, seconds

_ORDER: dict[Severity, int] = {"blocks": 0, "warns": 1, "informs": 2}
STALE_AFTER = timedelta(days=1)
LATENESS_SECONDS = 3600
POSITIVES_MIN = 200
COMPLETE_MIN = 0.8
MATCH_MIN = 0.9
RARE_SHARE = 0.05


def findings(definition: Definition, measured: Measured) -> tuple[Finding, ...]:
    """Every finding: by severity, then by the share of decisions it concerns."""
    found = [
        *leakage_findings(definition, measured),
        *_of_outcomes(definition, measured),
        *_of_inputs(definition, measured),
        *_of_keys(definition, measured),
    ]
    for figures in measured.sources.values():
        found += _of_source(definition, measured, figures)
    return tuple(sorted(found, key=lambda f: (_ORDER[f.severity], -float(f.figures.get("share", 0.0)), f.code)))


def _of_outcomes(definition: Definition, measured: Measured) -> Iterator[Finding]:
    figures, use_case = measured.decisions, definition.use_case
    source = use_case.outcome.source
    owner = owner_of(use_case, source)

    def finding(code: str, severity: Severity, message: str, repair: str, **figure: object) -> Finding:
        return Finding(code, severity, source, "", message, repair, owner, figure)

    negatives = figures.labelled - figures.positives
    if not figures.positives or not negatives:
        yield finding(
            "one-class",
            "blocks",
            f"Of {figures.labelled:,} known outcomes {figures.positives:,} are positive: nothing to tell apart.",
            "Check `outcome.positive`, or wait until both kinds have happened.",
            share=1.0,
        )
        return
    share = figures.positives / figures.labelled
    if min(figures.positives, negatives) < POSITIVES_MIN:
        yield finding(
            "few-outcomes",
            "warns",
            f"Only {min(figures.positives, negatives):,} outcomes of the rarer kind are known.",
            f"Wait, or go further back: below {POSITIVES_MIN} no comparison with the rule will be certain.",
            share=1.0,
        )
    if not RARE_SHARE <= share <= 1 - RARE_SHARE:
        yield finding(
            "class-imbalance",
            "warns",
            f"{share:.1%} of known outcomes are positive: accuracy will say nothing.",
            "Judge by money and by precision at the threshold.",
            positive_share=share,
        )
    missing = 1 - figures.labelled / figures.decisions
    if missing > 0.005:
        yield finding(
            "no-outcome",
            "warns" if missing > 1 - COMPLETE_MIN else "informs",
            f"{missing:.1%} of decisions have no outcome after {use_case.outcome.matures}.",
            "Find out whether these differ from the rest (cancelled, lost, merged), and say so in the brief.",
            share=missing,
        )
    yield from _of_months(measured, finding)


def _of_months(measured: Measured, finding: object) -> Iterator[Finding]:
    shares = {m.month: m.positives / m.labelled for m in measured.decisions.balance if m.labelled >= POSITIVES_MIN}
    if len(shares) < 2 or not callable(finding):
        return
    low, high = min(shares, key=shares.__getitem__), max(shares, key=shares.__getitem__)
    if shares[high] > 1.5 * shares[low]:
        yield finding(
            "shifting-outcome",
            "informs",
            f"Positives range from {shares[low]:.1%} ({low}) to {shares[high]:.1%} ({high}) by month.",
            "Split by time, never at random, and watch calibration.",
            low=shares[low],
            high=shares[high],
        )


def _of_inputs(definition: Definition, measured: Measured) -> Iterator[Finding]:
    columns = {column.name: column for column in definition.plan.columns}
    for name, share in measured.decisions.input_completeness.items():
        column = columns[name]
        if share >= COMPLETE_MIN or not measured.decisions.decisions:
            continue
        taken = isinstance(column, (Latest, Window))
        source = column.source if isinstance(column, (Latest, Window)) else definition.use_case.decision.source
        yield Finding(
            "incomplete-input",
            "blocks" if share == 0 else "warns",
            source,
            name,
            f"Input {name} is known in {share:.1%} of decisions.",
            "Widen its span, repair the source, or remove the input." if taken else "Repair the source, or remove it.",
            owner_of(definition.use_case, source),
            {"share": 1 - share, "complete": share},
        )
    for name, groups in measured.decisions.small_groups.items():
        yield Finding(
            "small-groups",
            "informs",
            definition.use_case.decision.source,
            name,
            f"{groups:,} {'value' if groups == 1 else 'values'} of {name} with fewer than 50 known outcomes: a model "
            "is guessing there.",
            "Look at these groups in the comparison before exposing them.",
            definition.use_case.owner,
            {"groups": groups},
        )


def _of_keys(definition: Definition, measured: Measured) -> Iterator[Finding]:
    for match in measured.matches:
        if match.share < MATCH_MIN:
            yield Finding(
                "keys-do-not-match",
                "blocks" if match.share == 0 else "warns",
                match.source,
                ", ".join(match.by),
                f"{1 - match.share:.1%} of decisions find no row in {match.source} by {names_of(match.by)}.",
                "Compare how the two systems write the key: case, blanks, leading zeros, old numbers.",
                owner_of(definition.use_case, match.source),
                {"share": 1 - match.share, "matched": match.share},
            )


def _of_source(definition: Definition, measured: Measured, figures: SourceFigures) -> Iterator[Finding]:
    use_case = definition.use_case
    needed = set(needed_columns(definition)[figures.source])

    def finding(code: str, severity: Severity, column: str, message: str, repair: str, **figure: object) -> Finding:
        return Finding(
            code, severity, figures.source, column, message, repair, owner_of(use_case, figures.source), figure
        )

    if figures.exact_duplicates:
        yield finding(
            "duplicates",
            "warns",
            "",
            f"{figures.exact_duplicates:,} of {figures.rows:,} rows are there more than once, to the last value.",
            "Stop writing them twice. They count once here.",
            rows=figures.exact_duplicates,
        )
    corrected = figures.rows - figures.keys - figures.exact_duplicates
    if corrected > 0:
        yield finding(
            "corrected-rows",
            "informs",
            ", ".join(use_case.sources[figures.source].key),
            f"{corrected:,} rows have a key that is there already: each counts as a correction from its `known_at` on.",
            "Check that `key` names one thing, and that these are corrections.",
            rows=corrected,
        )
    yield from _of_time(definition, measured, figures)
    for column, examples in figures.spellings.items():
        yield finding(
            "spelled-several-ways",
            "warns" if column in needed else "informs",
            column,
            f"{column} writes one category in several ways: {'; '.join(examples)}.",
            "Agree on one spelling at the source.",
        )
    personal = {name for name, column in definition.plan.request.items() if column.personal}
    inputs = {column.name for column in definition.plan.columns if isinstance(column, Given)}
    for column, holds in sensitive_columns(c.name for c in figures.columns).items():
        used = column in inputs or column in _taken(definition, figures.source)
        if not (used and column in personal):
            yield finding(
                "may-be-personal",
                "warns" if used else "informs",
                column,
                f"{column} may hold {holds}{' and is an input' if used else '; no input uses it'}.",
                "Say `personal: true` if it is, and ask whether the decision needs it.",
            )


def _of_time(definition: Definition, measured: Measured, figures: SourceFigures) -> Iterator[Finding]:
    use_case = definition.use_case
    owner = owner_of(use_case, figures.source)
    allowed = STALE_AFTER
    if figures.source == use_case.outcome.source:
        allowed = max(allowed, timedelta(seconds=seconds(use_case.outcome.matures)))
    if figures.known_to and measured.newest and measured.newest - figures.known_to > allowed:
        behind = measured.newest - figures.known_to
        yield Finding(
            "stale",
            "warns",
            figures.source,
            use_case.sources[figures.source].known_at,
            f"The newest row is {behind.total_seconds() / 86_400:.1f} days older than the newest of the other sources.",
            "Start its delivery again.",
            owner,
            {"behind_seconds": behind.total_seconds()},
        )
    if figures.days_without_rows:
        days = "1 day" if figures.days_without_rows == 1 else f"{figures.days_without_rows:,} days"
        yield Finding(
            "gap-in-time",
            "warns" if figures.longest_gap_days >= 2 else "informs",
            figures.source,
            use_case.sources[figures.source].event_time,
            f"Nothing happened on {days} in between, {figures.longest_gap_days:,} of them in a row at most.",
            "Deliver what is missing, if it is missing.",
            owner,
            {"days": figures.days_without_rows, "longest": figures.longest_gap_days},
        )
    looked_up = any(isinstance(c, (Latest, Window)) and c.source == figures.source for c in definition.plan.columns)
    if looked_up and figures.lateness_seconds > LATENESS_SECONDS:
        yield Finding(
            "known-late",
            "informs",
            figures.source,
            use_case.sources[figures.source].known_at,
            f"One row in twenty becomes known more than {figures.lateness_seconds / 3600:.1f} hours after it happened.",
            "Deliver sooner, if the inputs from it matter.",
            owner,
            {"lateness_seconds": figures.lateness_seconds},
        )


def _taken(definition: Definition, source: str) -> set[str]:
    return {c.take for c in definition.plan.columns if isinstance(c, (Latest, Window)) and c.source == source}
