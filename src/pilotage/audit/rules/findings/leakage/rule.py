"""What the rule reads of a case and no input takes: a rule that peeks is a bar that nobody can reach, nor should."""

from __future__ import annotations

from collections.abc import Iterator

from pilotage.audit.measured import Measured
from pilotage.audit.measured.leakage import Dominance, Separation
from pilotage.audit.records import Finding, Severity
from pilotage.audit.rules.findings.leakage.copies import is_copy
from pilotage.audit.rules.findings.leakage.too_good import CERTAIN_AUC, ROWS_MIN, TOO_GOOD_AUC, stands_out
from pilotage.audit.rules.owners import owner_of
from pilotage.usecase.records import Definition

_REPAIR = (
    "Ask whether {column} is known before the decision. If not, let the rule read something else, or decide later; if "
    "it is, say so under `answers.findings`."
)


def found(definition: Definition, measured: Measured) -> Iterator[Finding]:
    """As of inputs: the outcome itself and what is all but that block, what is only too good is asked about."""
    dominance = measured.leakage.rule_dominance
    for separation in measured.leakage.of_rule:
        if is_copy(separation):
            yield _copy(definition, measured, separation)
        elif separation.auc > TOO_GOOD_AUC and separation.rows >= ROWS_MIN:
            yield _too_good(definition, measured, separation)
        elif dominance and dominance.column == separation.column and stands_out(dominance):
            yield _dominant(definition, measured, separation, dominance)


def _copy(definition: Definition, measured: Measured, separation: Separation) -> Finding:
    column, face = separation.column, measured.shape.face
    tells = "is the outcome" if face.kind == "flag" else f"tells whether the outcome is {face.are}"
    tells += "" if separation.agreement == 1 else f" in {separation.agreement:.2%} of cases"
    message = f"{column} {tells}; the rule reads it: nothing can be compared with a rule that knows what will happen."
    repair = f"Write the rule as it is at the decision, without {column}."
    return _finding(definition, measured, separation, "copy-of-the-label", "blocks", message, repair)


def _too_good(definition: Definition, measured: Measured, separation: Separation) -> Finding:
    static = definition.use_case.sources[definition.use_case.decision.source].is_static
    severity: Severity = "blocks" if separation.auc >= CERTAIN_AUC and not static else "warns"
    message = (
        f"{separation.column}, which the rule reads, alone orders outcomes with an AUC of {separation.auc:.3f}, which "
        "few honest columns do: it may have been written, or written over, after the outcome."
    )
    repair = _REPAIR.format(column=separation.column)
    return _finding(definition, measured, separation, "too-good-to-be-true", severity, message, repair)


def _dominant(definition: Definition, measured: Measured, separation: Separation, dominance: Dominance) -> Finding:
    where = "on later decisions" if dominance.in_time else "on decisions that a model did not see"
    message = (
        f"{separation.column}, which the rule reads, alone orders outcomes with an AUC of {separation.auc:.3f}, the "
        f"best input has {dominance.next_best:.3f}; {where} it has {dominance.auc:.3f} and all inputs together "
        f"{dominance.others:.3f}. What comes with the case and says that much may have been written afterwards."
    )
    repair = _REPAIR.format(column=separation.column)
    return _finding(definition, measured, separation, "too-good-to-be-true", "warns", message, repair)


def _finding(
    definition: Definition,
    measured: Measured,
    separation: Separation,
    code: str,
    severity: Severity,
    message: str,
    repair: str,
) -> Finding:
    source = definition.use_case.decision.source
    figures = {"auc": round(separation.auc, 4), "agreement": separation.agreement, "rows": separation.rows}
    return Finding(
        code=code,
        topic="leakage",
        severity=severity,
        source=source,
        column=separation.column,
        message=message,
        repair=repair,
        owner=owner_of(definition.use_case, source),
        share=1.0,
        sampled=measured.leakage.sampled,
        figures=figures,
    )
