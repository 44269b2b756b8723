"""Console page of decisions: found by entity, version, reason, stage, who answered and when."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Any, get_args
from urllib.parse import urlencode

from litestar import Request, get
from litestar.response import Template

from pilotage.decisions.contract import example_request
from pilotage.decisions.kinds import told
from pilotage.decisions.records import REASONS, Producer, Search
from pilotage.decisions.store import LOOKED_THROUGH_MAX
from pilotage.govern.guards import needs, principal_of
from pilotage.govern.records import Permission
from pilotage.monitor import flow
from pilotage.platform.errors import InvalidRequest
from pilotage.platform.workspace import Workspace
from pilotage.releases import flow as releasing
from pilotage.releases.records import Stage
from pilotage.usecase import flow as defining

_SHOWN = 50
_STAGES = tuple(stage.value for stage in Stage)
_PRODUCERS = get_args(Producer)


@get("/use-cases/{use_case:str}/decisions", guards=[needs(Permission.READ)], sync_to_thread=True)
def decisions_page(
    use_case: str,
    request: Request[Any, Any, Any],
    work: Workspace,
    q: str = "",
    version: str = "",
    reason: str = "",
    stage: str = "",
    produced_by: str = "",
    since: str = "",
    until: str = "",
    before: str = "",
) -> Template:
    """Decisions, newest first; each page goes on where the one before ended."""
    definition = defining.find_adopted(work, use_case)
    versions = {each.number: each.id for each in releasing.versions(work, use_case)}
    wanted = Search(
        text=q.replace("\0", "").strip(),
        version=_one_of("version", version, {str(number): each for number, each in versions.items()}),
        reason=_one_of("reason", reason, {each: each for each in REASONS}),
        stage=_one_of("stage", stage, {each: each for each in _STAGES}),
        produced_by=_one_of("producer", produced_by, {each: each for each in _PRODUCERS}),
        since=_day(since),
        until=_after(_day(until)),
        before=before,
    )
    asked = {"q": wanted.text, "version": version, "reason": reason, "stage": stage, "produced_by": produced_by}
    asked = {name: text for name, text in {**asked, "since": since, "until": until}.items() if text}
    found, hidden = flow.search(work, principal_of(request), use_case, wanted, _SHOWN)
    return Template(
        "monitor/decisions.html",
        context={
            "page": {"use_case": use_case, "title": definition.use_case.title, "active": "decisions"},
            "decisions": found.decisions,
            "hidden": hidden,
            "judges": flow.judges(principal_of(request), use_case),
            "entity": definition.plan.entity,
            "asked": asked,
            "before": before,
            "further": urlencode({**asked, "before": found.further}) if found.further else "",
            "looked_max": LOOKED_THROUGH_MAX,
            "reasons": REASONS,
            "versions": sorted(versions, reverse=True),
            "stages": _STAGES,
            "producers": _PRODUCERS,
            "kind": definition.use_case.kind,
            "said": partial(told, definition.use_case),
            "address": work.settings.address,
            "example": example_request(definition.plan, work.clock.now()),
        },
    )


def _one_of(name: str, given: str, known: dict[str, Any]) -> str:
    if given and given not in known:
        raise InvalidRequest(f"There is no {name} {given!r}.", f"Known: {', '.join(known) or 'none yet'}.")
    return str(known[given]) if given else ""


def _day(text: str) -> datetime | None:
    """The first instant of a day as a form sends it, in UTC."""
    if not text:
        return None
    try:
        return datetime.combine(date.fromisoformat(text), time(), UTC)
    except ValueError:
        raise InvalidRequest(f"{text!r} is not a day.", "Write days as 2013-12-05.") from None


def _after(day: datetime | None) -> datetime | None:
    """The end of a day that is meant to be in it; there is none after the last day that can be written."""
    last = datetime.max.replace(tzinfo=UTC) - timedelta(days=1)
    return None if day is None or day > last else day + timedelta(days=1)


PAGES = [decisions_page]
