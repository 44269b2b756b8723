"""Whether the keys of two systems find each other."""

from __future__ import annotations

from collections.abc import Iterator

from pilotage.audit.measured import Measured
from pilotage.audit.records import Finding
from pilotage.audit.rules.owners import names_of, owner_of
from pilotage.usecase.records import Definition

MATCH_MIN = 0.9


def found(definition: Definition, measured: Measured) -> Iterator[Finding]:
    for match in measured.decisions.matches:
        if match.share < MATCH_MIN:
            yield Finding(
                "keys-do-not-match",
                "keys",
                "blocks" if match.share == 0 else "warns",
                match.source,
                ", ".join(match.by),
                f"{1 - match.share:.1%} of decisions find no row in {match.source} by {names_of(match.by)}.",
                "Compare how the two systems write the key: case, blanks, leading zeros, old numbers.",
                owner_of(definition.use_case, match.source),
                share=1 - match.share,
                figures={"matched": match.share},
            )
