"""How current the sources are: stale, late, with gaps."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from pilotage.audit.measured import Measured
from pilotage.audit.measured.sources import SourceFigures
from pilotage.audit.records import Finding
from pilotage.audit.rules.owners import owner_of
from pilotage.usecase.records import Definition, Latest, Window, seconds

STALE_AFTER = timedelta(days=1)
LATENESS_SECONDS = 3600


def found(definition: Definition, measured: Measured) -> Iterator[Finding]:
    """Sources that stopped, come late, or have days without rows."""
    for figures in measured.sources.values():
        yield from _of_source(definition, measured, figures)


def _of_source(definition: Definition, measured: Measured, figures: SourceFigures) -> Iterator[Finding]:
    use_case = definition.use_case
    owner = owner_of(use_case, figures.source)
    allowed = STALE_AFTER
    if figures.source == use_case.outcome.source:
        allowed = max(allowed, timedelta(seconds=seconds(use_case.outcome.matures)))
    if figures.known_to and measured.newest and measured.newest - figures.known_to > allowed:
        behind = measured.newest - figures.known_to
        yield Finding(
            "stale",
            "currency",
            "warns",
            figures.source,
            use_case.sources[figures.source].known_at,
            f"The newest row is {behind.total_seconds() / 86_400:.1f} days older than the newest of the other sources.",
            "Start its delivery again.",
            owner,
            figures={"behind_seconds": behind.total_seconds()},
        )
    if figures.days_without_rows:
        days = "1 day" if figures.days_without_rows == 1 else f"{figures.days_without_rows:,} days"
        yield Finding(
            "gap-in-time",
            "currency",
            "warns" if figures.longest_gap_days >= 2 else "informs",
            figures.source,
            use_case.sources[figures.source].event_time,
            f"Nothing happened on {days} in between, {figures.longest_gap_days:,} of them in a row at most.",
            "Deliver what is missing, if it is missing.",
            owner,
            figures={"days": figures.days_without_rows, "longest": figures.longest_gap_days},
        )
    looked_up = any(isinstance(c, (Latest, Window)) and c.source == figures.source for c in definition.plan.columns)
    if looked_up and figures.lateness_seconds > LATENESS_SECONDS:
        yield Finding(
            "known-late",
            "currency",
            "informs",
            figures.source,
            use_case.sources[figures.source].known_at,
            f"One row in twenty becomes known more than {figures.lateness_seconds / 3600:.1f} hours after it happened.",
            "Deliver sooner, if the inputs from it matter.",
            owner,
            figures={"lateness_seconds": figures.lateness_seconds},
        )
