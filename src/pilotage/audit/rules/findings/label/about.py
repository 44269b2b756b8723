"""A finding on the outcome as such: it stands at the outcome's source and is its owner's."""

from __future__ import annotations

from pilotage.audit.measured import Measured
from pilotage.audit.records import Finding, Severity
from pilotage.audit.rules.owners import owner_of
from pilotage.data.rules.least import too_few
from pilotage.usecase.records import Definition

POSITIVES_MIN = 200
"""With fewer outcomes, or fewer of the rarer kind, no comparison with the rule will be certain."""


def finding(
    definition: Definition,
    code: str,
    severity: Severity,
    message: str,
    repair: str,
    share: float = 0.0,
    samples: tuple[dict[str, str], ...] = (),
    concerns: int = 0,
    **figures: object,
) -> Finding:
    """A finding of the topic ``label``."""
    source = definition.use_case.outcome.source
    owner = owner_of(definition.use_case, source)
    return Finding(
        code,
        "label",
        severity,
        source,
        "",
        message,
        repair,
        owner,
        concerns=concerns,
        share=share,
        samples=samples,
        figures=figures,
    )


def categories(count: int) -> str:
    """``1 category``, ``20 categories``."""
    return f"{count:,} {'category' if count == 1 else 'categories'}"


def few(definition: Definition, measured: Measured, message: str) -> Finding:
    """That too few outcomes are known to be certain of anything; ``too_few`` says where nothing can be trained."""
    repair = f"Wait, or go further back: below {POSITIVES_MIN} no comparison with the rule will be certain."
    lacking = too_few(definition.use_case.kind, measured.decisions.labelled, measured.decisions.positives)
    if not lacking:
        return finding(definition, "few-outcomes", "warns", message, repair, share=1.0)
    message += f" No model can be trained: {lacking}."
    return finding(definition, "few-outcomes", "warns", message, repair, share=1.0, too_few=lacking)
