"""Personal data, and whether the file says so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pilotage.audit.measured import Measured
from pilotage.audit.measured.personal import Detection, PersonalColumn
from pilotage.audit.records import Finding, Severity
from pilotage.audit.rules.owners import owner_of
from pilotage.audit.rules.sensitive import KINDS, SPECIAL, proposal
from pilotage.data.rules.needs import taken_from
from pilotage.usecase.records import Definition, Given


def found(definition: Definition, measured: Measured) -> Iterator[Finding]:
    """Each column that may hold personal data; what the file does not say of one that is used, a person should."""
    for seen in measured.personal.columns:
        use = _Use(definition, seen)
        if any(detection.kind in SPECIAL for detection in seen.kinds):
            yield _finding(definition, seen, "special-category", _of_special(use, seen), _repair_special(use))
        else:
            yield _finding(definition, seen, "personal-data", _of_personal(use, seen), _repair(use, seen))


class _Use:
    """How the use case uses a column: sent by the app, an input, declared personal in the file."""

    def __init__(self, definition: Definition, seen: PersonalColumn) -> None:
        plan, use_case = definition.plan, definition.use_case
        of_decision = seen.source == use_case.decision.source
        sent = {n for n, c in plan.request.items() if of_decision and (c.column or n) == seen.column}
        self.sent = bool(sent)
        self.input = seen.column in taken_from(plan, seen.source) or any(
            isinstance(column, Given) and column.name in sent for column in plan.columns
        )
        self.compared = bool({seen.column, *sent} & set(use_case.groups))
        self.explained = bool(use_case.answers.sensitive.strip())
        declared = all(plan.request[name].personal for name in sent)
        self.declared = declared if sent else self.explained

    @property
    def says(self) -> str:
        if self.input:
            return "It is an input."
        return "The app sends it; no input uses it." if self.sent else "No input uses it."


def _of_personal(use: _Use, seen: PersonalColumn) -> Severity:
    only_pseudonym = all(detection.kind == "person-id" for detection in seen.kinds)
    return "warns" if (use.input or use.sent) and not use.declared and not only_pseudonym else "informs"


def _of_special(use: _Use, seen: PersonalColumn) -> Severity:
    """A use without a ground named blocks where name and values agree: the one case in which that is certain."""
    if not (use.input or use.sent) or (use.declared and use.explained):
        return "informs"
    certain = any(detection.kind in SPECIAL and detection.by == "both" for detection in seen.kinds)
    return "blocks" if certain and use.input and not use.declared and not use.explained else "warns"


def _finding(definition: Definition, seen: PersonalColumn, code: str, severity: Severity, repair: str) -> Finding:
    use = _Use(definition, seen)
    return Finding(
        code,
        "sensitive",
        severity,
        seen.source,
        seen.column,
        f"{seen.column} {_evidence(seen)}. {use.says}",
        repair,
        owner_of(definition.use_case, seen.source),
        share=seen.share,
        sampled=seen.looked_at if any(detection.by != "name" for detection in seen.kinds) else 0,
        figures=_figures(seen),
    )


def _evidence(seen: PersonalColumn) -> str:
    if all(detection.by == "name" for detection in seen.kinds):
        return f"may hold {seen.holds}, by its name"
    first, *others = [(_named(d), _percent(d.share)) for d in seen.kinds if d.by != "name"]
    also = "".join(f", {name} ({share})" for name, share in others)
    return f"holds {first[0]} ({first[1]} of the {seen.looked_at:,} distinct values looked at){also}"


def _named(seen: Detection) -> str:
    return KINDS[seen.kind].holds + (" inside its texts" if seen.within else "")


def _percent(share: float) -> str:
    return f"{share:.0%}" if share >= 0.1 else f"{share:.1%}"


def _repair_special(use: _Use) -> str:
    """What to do with data of articles 9 and 10."""
    if not (use.input or use.sent):
        return "Keep it out of the inputs. Its contract should allow no purpose and hide it."
    return (
        "Take it out, or say under `answers.sensitive` on which ground it may be used and who agreed, and declare it "
        "`personal: true` where the app sends it."
    )


def _repair(use: _Use, seen: PersonalColumn) -> str:
    if any(KINDS[detection.kind].protected for detection in seen.kinds) and not use.compared:
        compared = " Name it under `groups`, so that outcomes are compared by it."
    else:
        compared = ""
    if use.sent:
        return f"Declare it `personal: true` if it is, and ask whether the decision needs it.{compared}"
    if use.input:
        return f"Say under `answers.sensitive` why the decision may use it, or take it out.{compared}"
    return f"Write into its contract what it may be used for and how it is shown.{compared}"


def _figures(seen: PersonalColumn) -> dict[str, Any]:
    proposed = proposal(seen)
    return {
        "kinds": [
            {"kind": d.kind, "by": d.by, "share": round(d.share, 4), "within": d.within, "examples": list(d.examples)}
            for d in seen.kinds
        ],
        "proposed": {
            "sensitivity": proposed.sensitivity,
            "purposes": list(proposed.purposes),
            "mask": proposed.mask,
            "why": proposed.why,
        },
    }
