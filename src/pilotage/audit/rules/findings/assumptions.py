"""What the file says and nobody has confirmed yet."""

from __future__ import annotations

from collections.abc import Iterator

from pilotage.audit.measured import Measured
from pilotage.audit.records import Finding
from pilotage.usecase.records import Definition


def found(definition: Definition, measured: Measured) -> Iterator[Finding]:
    """All guesses that are left, as one finding: nothing is trained before each was looked at."""
    guessed = definition.use_case.guessed
    if not guessed:
        return
    count = "1 place in the file was" if len(guessed) == 1 else f"{len(guessed)} places in the file were"
    yield Finding(
        code="guessed",
        topic="file",
        severity="warns",
        source="",
        column="",
        message=f"{count} guessed and confirmed by nobody: {', '.join(guessed)}.",
        repair="Read each line under `guessed`, correct its place, and remove the line; training waits for that.",
        owner=definition.use_case.owner,
        concerns=len(guessed),
        figures={"places": list(guessed)},
    )
