"""The readiness scorecard: rows read from the gates' criteria, the audit and the file. Nobody ticks a box."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec
from msgspec import Struct

from pilotage.platform.counting import plural
from pilotage.rollout.readiness.records import Light, Row, Scorecard
from pilotage.rollout.records import Criterion, GateName, GateResult
from pilotage.rollout.rules import Dossier
from pilotage.usecase.rules.lints import Lint

MATURE, RAW = 70.0, 40.0
"""From which maturity on data are green, and below which they are red."""
_SERIOUS = frozenset({"no-rule-to-beat", "no-human-review", "model-metric-without-business-metric"})
"""Mistakes in the file alone for which such projects failed although the model was good."""


class _Asked(Struct, frozen=True):
    """Which criteria answer a question; without names, all of the gate. ``command`` makes what they read."""

    area: str
    question: str
    gate: GateName
    page: str
    criteria: tuple[str, ...] = ()
    command: str = "gate"


_FROM_GATES = (
    _Asked("Purpose", "Is it said who owns it, what it is worth and what the rule does today?", "use_case", "brief"),
    _Asked(
        "Outcomes",
        "Are there enough past cases whose end is known?",
        "data_audit",
        "audit",
        ("enough outcomes",),
        "audit",
    ),
    _Asked(
        "Benefit",
        "Does a model beat today's rule on time it has not seen?",
        "baseline",
        "comparison",
        ("comparison exists", "comparison is of this file", "better than the rule"),
        "train",
    ),
    _Asked(
        "Same answers live",
        "Does it answer in the app as it did in training?",
        "baseline",
        "versions",
        ("served as trained", "what is released is what was compared", "answers live as in training"),
        "release",
    ),
    _Asked("Service", "Is it fast enough, steady, tested, and is everything recorded?", "service", "operate"),
    _Asked("People", "Can people see it, override it and review it?", "workflow", "queue"),
    _Asked("Emergency stop", "Can somebody switch it off?", "operations", "versions", ("switch",)),
    _Asked(
        "Proof in operation",
        "Does it earn more than the rule with real decisions?",
        "operations",
        "operate",
        ("outcomes arrive", "worth it so far"),
    ),
)


def scorecard(dossier: Dossier, results: Sequence[GateResult], lints: Sequence[Lint], now: datetime) -> Scorecard:
    """Every row, in the order of the work: purpose, data, model, service, people, operation."""
    by_gate = {result.gate: result for result in results}
    purpose, *others = (_read(asked, by_gate[asked.gate]) for asked in _FROM_GATES)
    rows = (purpose, _mistakes(lints), _questions(dossier), _maturity(dossier), *others)
    use_case = dossier.definition.use_case
    return Scorecard(
        use_case=dossier.definition.name,
        title=use_case.title,
        owner=use_case.owner,
        at=now,
        sentence=_sentence(rows),
        rows=rows,
        lints=tuple(lints),
    )


def _read(asked: _Asked, result: GateResult) -> Row:
    """Green when all criteria pass, red when one fails or none passes yet."""
    criteria = [each for each in result.criteria if not asked.criteria or each.name in asked.criteria]
    waiting = [each for each in criteria if each.outcome != "PASS"]
    if not criteria:
        repair = f"Run pilotage {asked.command} {result.use_case}."
        return Row(asked.area, asked.question, "red", "Nothing measured yet.", repair, asked.page)
    if not waiting:
        return Row(asked.area, asked.question, "green", _told(criteria), "", asked.page)
    fails = [each for each in waiting if each.outcome == "FAIL"]
    first = (fails or waiting)[0]
    light: Light = "red" if fails or len(waiting) == len(criteria) else "yellow"
    more = f" {len(waiting) - 1} more below the gates on the home page." if len(waiting) > 1 else ""
    return Row(
        asked.area,
        asked.question,
        light,
        f"{first.name.capitalize()}: {first.came.rstrip('.')}.{more}",
        first.repair,
        asked.page,
    )


def _told(criteria: Sequence[Criterion]) -> str:
    return "; ".join(f"{each.name}: {each.came.rstrip('.')}" for each in criteria[:2]) + "."


def _mistakes(lints: Sequence[Lint]) -> Row:
    """The well-known ways to fail that the file itself shows."""
    question = "Is the file free of the well-known ways in which such projects fail?"
    if not lints:
        return Row("Known mistakes", question, "green", "None can be seen in the file.", "", "brief")
    serious = [lint for lint in lints if lint.id in _SERIOUS]
    first = (serious or list(lints))[0]
    light: Light = "red" if serious else "yellow"
    says = f"{plural(len(lints), 'known way')} to fail: {first.message}"
    return Row("Known mistakes", question, light, says, first.remedy, "brief")


def _questions(dossier: Dossier) -> Row:
    """The seven questions of the audit, by the worst colour."""
    question, name = "Do the seven questions about the data have good answers?", dossier.definition.name
    if dossier.audit is None:
        return Row("Data", question, "red", "The data were never audited.", f"Run pilotage audit {name}.", "audit")
    by_colour = {light: [a for a in dossier.audit.answers if a.colour == light] for light in ("red", "yellow", "green")}
    says = f"{len(by_colour['green'])} of {len(dossier.audit.answers)} are green"
    worst = [*by_colour["red"], *by_colour["yellow"]]
    if not worst:
        return _of_this_file(dossier, Row("Data", question, "green", f"{says}.", "", "audit"))
    light: Light = "red" if by_colour["red"] else "yellow"
    steps = [*dossier.audit.plan.blockers, *dossier.audit.plan.backlog]
    repair = steps[0].step if steps else f"Answer what only a person can say: {worst[0].path} in the file."
    return Row("Data", question, light, f"{says}; open: {worst[0].question}", repair, "audit")


def _maturity(dossier: Dossier) -> Row:
    question, mature = "Are the data complete, current, connected, owned?", dossier.audit and dossier.audit.maturity
    if not mature:
        repair = f"Run pilotage audit {dossier.definition.name}."
        return Row("Maturity of the data", question, "red", "Not measured yet.", repair, "audit")
    light: Light = "green" if mature.overall >= MATURE else "yellow" if mature.overall >= RAW else "red"
    weakest = min(mature.dimensions, key=lambda each: each.score)
    says = (
        f"{mature.overall:.0f} of 100 (green from {MATURE:.0f}); weakest is “{weakest.name}” with {weakest.score:.0f}."
    )
    row = Row("Maturity of the data", question, light, says, "" if light == "green" else weakest.why, "audit")
    return _of_this_file(dossier, row)


def _of_this_file(dossier: Dossier, row: Row) -> Row:
    """The row, yellow where it would be green by an audit of an earlier text of the file."""
    if row.light != "green" or dossier.definitions.get("audit") == dossier.definition.substance:
        return row
    says = f"{row.says} That audit was of an earlier text of the file."
    return msgspec.structs.replace(
        row, light="yellow", says=says, repair=f"Run pilotage audit {dossier.definition.name}."
    )


def _sentence(rows: Sequence[Row]) -> str:
    """The whole scorecard in one sentence."""
    red = [row.area for row in rows if row.light == "red"]
    yellow = [row.area for row in rows if row.light == "yellow"]
    green = len(rows) - len(red) - len(yellow)
    start = f"{green} of {len(rows)} rows are green"
    if not red and not yellow:
        return f"Ready: all {len(rows)} rows are green."
    parts = [f"missing or against it: {', '.join(red)}"] if red else []
    parts += [f"under way: {', '.join(yellow)}"] if yellow else []
    return f"{start}; {'; '.join(parts)}."
