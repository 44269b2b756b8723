"""Console pages of monitoring: the operate page, and one decision's whole life."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from litestar import Request, get
from litestar.response import Template

from pilotage.data.flow import contracting
from pilotage.decisions import flow as deciding
from pilotage.decisions import parity
from pilotage.decisions.durable.completeness import completeness
from pilotage.decisions.kinds import action_of, told
from pilotage.decisions.parity.sighting import personal_columns
from pilotage.decisions.records import REASONS, Decision
from pilotage.decisions.rules import inputs_in_words
from pilotage.govern.guards import needs, principal_of
from pilotage.govern.records import Permission
from pilotage.govern.rules.permissions import allowed
from pilotage.monitor import charts, flow, lately, verdicts
from pilotage.monitor.incidents.pages import shown_of
from pilotage.monitor.measures import MEASURES, in_words, shown
from pilotage.monitor.records import Day, Operation
from pilotage.outcomes import quarantine
from pilotage.platform.charts import svg
from pilotage.platform.errors import NotFound, StillCounting
from pilotage.platform.workspace import Workspace
from pilotage.releases import flow as releasing
from pilotage.releases.records import Live
from pilotage.releases.rules import difference, differing
from pilotage.usecase import flow as defining
from pilotage.usecase.records import Definition


@get("/use-cases/{use_case:str}/operate", guards=[needs(Permission.READ)], sync_to_thread=True)
def operate_page(use_case: str, work: Workspace) -> Template:
    """Still safe? Still worth it? Then the figures behind the two answers."""
    definition = defining.find_adopted(work, use_case)
    try:
        with lately.page():
            found, (days, advantage) = lately.operation(work, definition), lately.worth(work, definition)
    except StillCounting as counting:
        return counting_page(work, definition, "operate", counting)
    live, history = releasing.live(work, use_case), releasing.history(work, use_case)
    numbers = {version.id: version.number for version in releasing.versions(work, use_case)}
    return Template(
        "monitor/operate.html",
        context={
            "page": {"use_case": use_case, "title": definition.use_case.title, "active": "operate"},
            "definition": definition,
            "found": found,
            "counted_at": lately.counted_at(work, definition),
            "live": live,
            "back": f"/use-cases/{use_case}/operate",
            "safe": verdicts.still_safe(found, live, definition.use_case),
            "worth": verdicts.still_worth_it(found, advantage),
            "answers_min": verdicts.ANSWERS_MIN,
            "measures": MEASURES[found.kind],
            "quality": [
                (each, shown(found.kind, each), in_words(found.kind, found.unit, each)) for each in found.quality
            ],
            "failed": verdicts.failed_in_words(found.failures) if found.failures else "",
            "fallbacks": [(REASONS[reason], count) for reason, count in found.reasons.items()],
            "pictures": _pictures(found, history, days),
            "changes": _changes(history, numbers),
            "accounted": completeness(work),
            "quarantined": quarantine.count(work, use_case),
            "rejoined": parity.latest_rejoined(work, definition.name),
            "differing": differing,
            **shown_of(work, definition.name),
        },
    )


def counting_page(work: Workspace, definition: Definition, active: str, counting: StillCounting) -> Template:
    """What a page says while its figures are counted for the first time: the switch and what is wrong need none."""
    name = definition.name
    context = {
        "page": {"use_case": name, "title": definition.use_case.title, "active": active},
        "live": releasing.live(work, name),
        "back": f"/use-cases/{name}" + ("" if active == "home" else f"/{active}"),
        "counting": counting,
        **shown_of(work, name),
    }
    return Template("monitor/counting.html", context=context)


@get("/decisions/{decision_id:str}", guards=[needs(Permission.READ)], sync_to_thread=True)
def decision_page(decision_id: str, request: Request[Any, Any, Any], work: Workspace) -> Template:
    """Everything recorded of one decision, from the request to the money."""
    decision = deciding.find(work, decision_id)
    if not allowed(principal_of(request), Permission.READ, decision.use_case):
        raise NotFound(f"There is no decision {decision_id}.", "Use the id that came with the answer.")
    definition = defining.find_adopted(work, decision.use_case)
    reader = principal_of(request)
    kept_back = flow.kept_back(work, reader, definition.name, [decision.id])
    steps, case = flow.life_of(work, definition, decision, reader)
    personal = personal_columns(definition, contracting.current(work, definition.name))
    inputs = inputs_in_words(definition.plan, decision, personal)
    if kept_back:
        kept = {"page": _page(definition, decision), "decision": decision, "inputs": inputs, "case": case}
        return Template("monitor/kept_back.html", context=kept)
    return Template(
        "monitor/decision.html",
        context={
            "page": _page(definition, decision),
            "definition": definition,
            "decision": decision,
            "because": REASONS[decision.reason],
            "said": partial(told, definition.use_case),
            "action": partial(action_of, definition.use_case),
            "steps": steps,
            "case": case,
            "inputs": inputs,
            "others": deciding.other_answers(work, definition, decision, personal),
            "version": releasing.version(work, decision.version).number if decision.version else None,
        },
    )


def _page(definition: Definition, decision: Decision) -> dict[str, Any]:
    decisions = f"/use-cases/{decision.use_case}/decisions"
    return {
        "use_case": decision.use_case,
        "title": definition.use_case.title,
        "active": "decisions",
        "crumbs": [("Decisions", decisions), (decision.entity, "")],
    }


def _pictures(found: Operation, history: Sequence[Live], days: Sequence[Day]) -> dict[str, str]:
    pictures = {}
    if found.hours:
        pictures["volume"] = svg(charts.volume(found.hours, history))
    if len(days) > 1:
        pictures["earnings"] = svg(charts.earnings(days, found.currency))
    return pictures


def _changes(history: Sequence[Live], numbers: Mapping[str, int]) -> list[tuple[Live, str]]:
    """Each change with what it changed, newest first."""
    before: list[Live | None] = [*history[1:], None] if history else []
    return [(after, difference(earlier, after, numbers)) for after, earlier in zip(history, before, strict=True)]


PAGES = [operate_page, decision_page]
