"""Verdicts as labels: what people found right, who, when and how sure, to be learnt from like any other outcome."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pilotage.platform.errors import InvalidRequest
from pilotage.platform.instants import as_utc, iso
from pilotage.platform.workspace import Workspace
from pilotage.review import opinions_store, store
from pilotage.review.records import Case, Label, Labels, Opinion
from pilotage.review.rules import verdicts
from pilotage.usecase import flow as defining


def labels(work: Workspace, use_case: str, since: datetime | None, cursor: str, limit: int) -> Labels:
    """One page of labels, the oldest first. A verdict is one once it cannot be taken back any more, and never changes.
    ``since`` is the least ``known_at`` wanted: whoever sends the newest that they have misses none.

    Verdicts that were given with the model's opinion in view are left out, unless the file says ``labels: all``: who
    learns from them learns what the model said before. Known cases are left out, as their outcome is known.

    Raises:
        InvalidRequest: the cursor is none of ours.
    """
    review = defining.find(work, use_case).use_case.review
    settled = work.clock.now() - timedelta(seconds=review.undo_seconds)
    after = _read(cursor) if cursor else (_judged_since(since, review.undo_seconds), "")
    with work.database.reading() as connection:
        cases = store.settled_cases(connection, use_case, review.labels == "independent", after, settled, limit)
        given = opinions_store.opinions_on_all(connection, [case.id for case in cases])
    rows = [_label(case, given.get(case.id, []), review.undo_seconds) for case in cases]
    return Labels(rows, _cursor(cases[-1]) if len(cases) == limit else "")


def _label(case: Case, opinions: list[Opinion], undo_seconds: int) -> Label:
    standing = verdicts.standing(opinions)
    judged_at = as_utc(case.verdict_at or case.opened_at)
    said = case.verdict_answer
    return Label(
        id=case.id,
        entity=case.entity,
        decision=case.decision,
        answer=said if not isinstance(said, bool) else "yes" if said else "no",
        verdict=case.state,
        judged_at=iso(judged_at),
        known_at=iso(judged_at + timedelta(seconds=undo_seconds)),
        judged_by=case.verdict_by,
        agreed=sum((each.verdict, each.answer) == (case.state, said) for each in standing),
        judged=len(standing),
        blind=case.blind,
        reason=case.verdict_reason,
    )


def _judged_since(known_since: datetime | None, undo_seconds: int) -> datetime:
    """The instant of the oldest verdict that was known at this instant or later."""
    first = datetime.min.replace(tzinfo=UTC)
    since, undo = as_utc(known_since or first), timedelta(seconds=undo_seconds)
    return since - undo if since - first > undo else first


def _cursor(case: Case) -> str:
    return f"{iso(as_utc(case.verdict_at or case.opened_at))}~{case.id}"


def _read(cursor: str) -> tuple[datetime, str]:
    at, _, name = cursor.partition("~")
    try:
        return datetime.fromisoformat(at), name
    except ValueError:
        raise InvalidRequest("The cursor is none of ours.", "Send `next` of the page before, or nothing.") from None
