"""Sources without a clock, that stopped, whose rows become known late, or before they happened."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from pilotage.audit.records import Finding, Severity
from pilotage.audit.rules.findings.about import About, percent
from pilotage.usecase.records import Latest, Window, seconds

# A daily delivery that is late once is not stopped.
STALE_AFTER = timedelta(days=2)
LATENESS_SECONDS = 3600
# Where up to this share is known before it happened, the source records what happened, and these rows are wrong; where
# it is more, the source holds plans.
EARLY_MAX = 0.2


def found(this: About) -> Iterator[Finding]:
    """What the two clocks of a source say about it."""
    yield from _no_clock(this)
    yield from _stale(this)
    yield from _late(this)
    yield from _early(this)


def _no_clock(this: About) -> Iterator[Finding]:
    use_case, name = this.definition.use_case, this.figures.source
    if not this.source.is_static or name not in (use_case.decision.source, use_case.outcome.source):
        return
    decided = name == use_case.decision.source
    # Who says which cases judge has said that no clock does; what the app itself sends was there at any moment.
    told = use_case.decision.moment or use_case.decision.judged
    severity: Severity = "blocks" if decided and not told else "warns"
    yield this.finding(
        "no-clock",
        severity,
        "",
        f"{name} holds the {'decisions' if decided else 'outcomes'} and says neither when they happened nor when they "
        "could be known: what was known at a past decision cannot be told from what was learnt later.",
        "Name `event_time` and `known_at` in place of `static`; have the system stamp its rows if it does not.",
        concerns=this.figures.rows,
    )


def _stale(this: About) -> Iterator[Finding]:
    use_case, known_to = this.definition.use_case, this.figures.known_to
    allowed = STALE_AFTER
    if this.figures.source == use_case.outcome.source:
        allowed = max(allowed, timedelta(seconds=seconds(use_case.outcome.matures)))
    if known_to and this.newest and not this.source.is_static and this.newest - known_to > allowed:
        if _plans_to_the_end(this, this.newest, allowed):
            return
        behind = this.newest - known_to
        days = f"{behind.total_seconds() / 86_400:.1f} days"
        if _is_list(this):
            yield this.finding(
                "stale",
                "informs",
                this.source.known_at,
                f"It has one row for each key that it is looked up by, and none is new or changed in the last {days} "
                "of the other sources.",
                "Nothing to do, if nothing changed since.",
                behind_seconds=behind.total_seconds(),
            )
            return
        yield this.finding(
            "stale",
            "warns",
            this.source.known_at,
            f"The newest row is {days} older than the newest of the other sources.",
            "Ask whether its delivery stopped, or whether nothing happened since: a list that seldom changes may be "
            "`static`, and a quiet source may stay as it is if `answers.findings` says so.",
            behind_seconds=behind.total_seconds(),
        )


def _is_list(this: About) -> bool:
    """Whether it has one row per key that it is looked up by, as a list of customers: rows come with new customers, not
    with time. What has one row per decision comes with the decisions.
    """
    lines = [c for c in this.definition.plan.columns if isinstance(c, (Latest, Window))]
    own = [line for line in lines if line.source == this.figures.source]
    by_case = any(this.definition.plan.entity in line.by for line in own)
    return bool(own) and not by_case and any(set(this.source.key) <= set(line.found_by) for line in own)


def _plans_to_the_end(this: About, newest: datetime, allowed: timedelta) -> bool:
    """Whether it holds plans, known long before, for about as far as the other sources reach: then none is missing."""
    late, hours = this.figures.times.lateness, this.figures.times.hours
    if late is None or not hours or late.early <= EARLY_MAX * late.rows:
        return False
    return abs(newest.replace(tzinfo=None) - hours[-1][0]) <= allowed


def _late(this: About) -> Iterator[Finding]:
    late = this.figures.times.lateness
    columns = this.definition.plan.columns
    looked_up = any(isinstance(c, (Latest, Window)) and c.source == this.figures.source for c in columns)
    if late is None or not looked_up or late.quantiles[-1] <= LATENESS_SECONDS:
        return
    half, most = late.quantiles[2], late.quantiles[-1]
    yield this.finding(
        "known-late",
        "informs",
        this.source.known_at,
        f"Half of the rows are known {span(half)} after they happened or sooner, 19 of 20 within {span(most)}, the "
        f"last after {span(late.longest)}.",
        "Deliver sooner, if the inputs from it matter.",
        concerns=round(0.05 * late.rows),
        of=late.rows,
        sampled=this.figures.sampled,
        lateness_seconds=most,
        median_seconds=half,
        longest_seconds=late.longest,
    )


def _early(this: About) -> Iterator[Finding]:
    late = this.figures.times.lateness
    if late is None or not 0 < late.early <= EARLY_MAX * late.rows:
        return
    yield this.finding(
        "known-early",
        "informs",
        this.source.known_at,
        f"{late.early:,} rows ({percent(late.early / late.rows)}) were known before they happened; all others after.",
        "Check both clocks of these rows: one is wrong, or they are plans among facts.",
        concerns=late.early,
        of=late.rows,
        samples=this.figures.samples.get(f"early {this.source.known_at}", ()),
        early=late.early,
    )


def span(seconds_: float) -> str:
    """A length of time in one unit that suits it."""
    for unit, length in (("days", 86_400), ("hours", 3600), ("minutes", 60)):
        if abs(seconds_) >= 2 * length:
            return f"{seconds_ / length:.1f} {unit}"
    return f"{seconds_:.0f} seconds"
