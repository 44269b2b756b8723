"""Sources that cannot be read at present, and rows that were written later than their clock says."""

from __future__ import annotations

from collections.abc import Iterator

from pilotage.audit.measured import Measured
from pilotage.audit.records import Finding
from pilotage.audit.rules.owners import owner_of
from pilotage.usecase.records import Definition


def found(definition: Definition, measured: Measured) -> Iterator[Finding]:
    """What syncing has seen of the sources, which their rows alone do not show."""
    use_case = definition.use_case
    for name, state in measured.syncing.items():
        if name in use_case.sources and state.failures and state.failing_since is not None:
            tries = "1 time" if state.failures == 1 else f"{state.failures:,} times"
            yield Finding(
                code="sync-failing",
                topic="currency",
                severity="warns",
                source=name,
                column="",
                message=f"It could not be read {tries} since {state.failing_since:%Y-%m-%d %H:%M} UTC: {state.error}",
                repair="Mend what is named; until then this audit and all answers stand on older rows.",
                owner=owner_of(use_case, name),
                figures={"failures": state.failures},
            )
    for name, rows in measured.written_late.items():
        if rows and name in use_case.sources:
            known_at = use_case.sources[name].known_at
            yield Finding(
                code="written-late",
                topic="currency",
                severity="informs",
                source=name,
                column=known_at,
                message=f"{rows:,} rows were not there yet at a sync after the time at which, by {known_at}, they were "
                "known: training sees them earlier than an answer would have.",
                repair=f"Have {known_at} written when a row is there to be read, or name another column.",
                owner=owner_of(use_case, name),
                concerns=rows,
                share=rows / measured.sources[name].rows if measured.sources[name].rows else 0.0,
            )
