"""Which columns will be there when the decision is taken."""

from __future__ import annotations

from collections.abc import Iterator

from pilotage.audit.measured import Measured
from pilotage.audit.measured.availability import Availability
from pilotage.audit.records import Finding
from pilotage.audit.rules.owners import names_of, owner_of
from pilotage.audit.rules.spans import span
from pilotage.usecase.records import Definition

TOO_LATE_SHARE = 0.05
BEHIND_SHARE = 0.1


def found(definition: Definition, measured: Measured) -> Iterator[Finding]:
    """Inputs whose newest row had happened and was not known yet: one finding per source and key."""
    together: dict[tuple[str, float, float | None], list[Availability]] = {}
    for one in measured.availability:
        if one.source and (one.behind >= BEHIND_SHARE or one.too_late >= TOO_LATE_SHARE):
            together.setdefault((one.source, one.behind, one.age_median_seconds), []).append(one)
    for inputs in together.values():
        yield _late(definition, inputs)


def _late(definition: Definition, inputs: list[Availability]) -> Finding:
    worst = max(inputs, key=lambda one: one.too_late)
    source, names = worst.source, tuple(one.input for one in inputs)
    lost = worst.too_late >= TOO_LATE_SHARE
    ages = ""
    if worst.age_median_seconds is not None and worst.age_most_seconds is not None:
        ages = (
            f" Half of the time the newest row known is at most {span(worst.age_median_seconds)} old, 19 times of 20 "
            f"at most {span(worst.age_most_seconds)}."
        )
    missing = f" In {worst.too_late:.1%} of decisions {worst.input} is missing only for that." if lost else ""
    return Finding(
        "late-for-decision",
        "real time",
        "warns" if lost else "informs",
        source,
        ", ".join(names),
        f"In {worst.behind:.1%} of decisions a newer row of {source} had happened and was not known yet.{ages}"
        f"{missing}",
        f"Deliver {source} sooner, or decide later."
        if lost
        else f"Nothing to do, if {names_of(names)} may be that old.",
        owner_of(definition.use_case, source),
        share=worst.too_late if lost else worst.behind,
        sampled=worst.sampled,
        figures={
            "behind": worst.behind,
            "too_late": worst.too_late,
            "age_median_seconds": worst.age_median_seconds,
            "age_most_seconds": worst.age_most_seconds,
        },
    )
