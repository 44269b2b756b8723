"""Personal data, and whether the file says so."""

from __future__ import annotations

from collections.abc import Iterator

from pilotage.audit.measured import Measured
from pilotage.audit.records import Finding
from pilotage.audit.rules.owners import owner_of
from pilotage.data.rules.needs import taken_from
from pilotage.usecase.records import Definition, Given


def found(definition: Definition, measured: Measured) -> Iterator[Finding]:
    """Columns that may hold personal data and are not declared."""
    personal = {name for name, column in definition.plan.request.items() if column.personal}
    inputs = {column.name for column in definition.plan.columns if isinstance(column, Given)}
    for seen in measured.personal.columns:
        used = seen.column in inputs or seen.column in taken_from(definition.plan, seen.source)
        if used and seen.column in personal:
            continue
        yield Finding(
            "may-be-personal",
            "sensitive",
            "warns" if used else "informs",
            seen.source,
            seen.column,
            f"{seen.column} may hold {seen.holds}{' and is an input' if used else '; no input uses it'}.",
            "Say `personal: true` if it is, and ask whether the decision needs it.",
            owner_of(definition.use_case, seen.source),
        )
