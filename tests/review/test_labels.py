"""Verdicts as labels: which count, when, and that a use-case file reads them like any other source."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from litestar.testing import TestClient

from pilotage.platform.clock import FixedClock
from pilotage.platform.errors import InvalidRequest
from pilotage.platform.workspace import Workspace
from pilotage.review import flow
from pilotage.usecase.records import Rest
from tests.data.sources.asking import asked_for, rows_of
from tests.embed.hosting import serving
from tests.review.arranging import NAME, go_live, recorded, reviewer
from tests.review.serving import console
from tests.review.test_cases_api import key
from tests.review.test_intake import adopted


def judged(work: Workspace, entity: str, answer: bool = True) -> str:
    """A blind case about this entity, judged by anna; its identifier."""
    recorded(work, entity=entity)
    case = flow.lease_next(work, NAME, reviewer("anna"))
    assert case is not None
    return flow.judge(work, case.id, case.fence, answer, "", reviewer("anna")).id


def entities(work: Workspace, **asked: object) -> list[str]:
    wanted = {"since": None, "cursor": "", "limit": 500, **asked}
    return [label.entity for label in flow.labels(work, NAME, **wanted).labels]  # type: ignore[arg-type]


@pytest.fixture
def live(work: Workspace) -> Workspace:
    """In assist; every answer is judged blind."""
    adopted(work, "  samples: {blind: 1}\n")
    go_live(work)
    return work


def test_a_verdict_is_a_label_once_it_cannot_be_taken_back(live: Workspace, clock: FixedClock) -> None:
    first = judged(live, "UA1", answer=False)
    clock.advance(timedelta(seconds=59))
    assert entities(live) == []
    flow.undo(live, first, reviewer("anna"))

    clock.advance(timedelta(seconds=61))
    assert entities(live) == []
    case = flow.lease(live, first, reviewer("anna"))
    flow.judge(live, first, case.fence, False, "", reviewer("anna"))
    clock.advance(timedelta(seconds=61))
    assert entities(live) == []  # the model's opinion had been in view

    judged(live, "UA2", answer=False)
    clock.advance(timedelta(seconds=61))

    (label,) = flow.labels(live, NAME, None, "", 10).labels
    assert (label.entity, label.answer, label.verdict, label.judged_by) == ("UA2", "no", "corrected", "anna")
    assert (label.agreed, label.judged, label.blind) == (1, 1, True)
    assert datetime.fromisoformat(label.known_at) - datetime.fromisoformat(label.judged_at) == timedelta(seconds=60)


def test_what_was_judged_with_the_model_in_view_is_no_label_unless_the_file_says_so(
    live: Workspace, clock: FixedClock
) -> None:
    adopted(live, "")
    recorded(live, entity="SEEN", review=True)
    case = flow.lease_next(live, NAME, reviewer("anna"))
    assert case is not None
    flow.submit(live, case.id, case.fence, "approved", None, "", reviewer("anna"))
    clock.advance(timedelta(minutes=2))

    assert entities(live) == []
    adopted(live, "  labels: all\n")
    assert entities(live) == ["SEEN"]


@pytest.mark.both_stores
def test_pages_follow_each_other_and_since_leaves_out_what_is_older(live: Workspace, clock: FixedClock) -> None:
    for number in range(5):
        judged(live, f"UA{number}")
        clock.advance(timedelta(seconds=1 if number % 2 else 0))  # some at the same instant
    third = clock.now()
    clock.advance(timedelta(minutes=2))

    found: list[str] = []
    cursor = ""
    while True:
        page = flow.labels(live, NAME, None, cursor, 2)
        found += [label.entity for label in page.labels]
        cursor = page.next
        if not cursor:
            break

    assert sorted(found) == [f"UA{n}" for n in range(5)] and len(found) == 5
    assert entities(live, since=third + timedelta(seconds=61)) == []
    with pytest.raises(InvalidRequest, match="none of ours"):
        flow.labels(live, NAME, None, "yesterday", 2)


@pytest.mark.both_stores
def test_whoever_asks_since_the_newest_that_they_have_misses_none(live: Workspace, clock: FixedClock) -> None:
    judged(live, "UA1")
    clock.advance(timedelta(seconds=30))
    judged(live, "UA2")
    clock.advance(timedelta(seconds=31))
    (first,) = flow.labels(live, NAME, None, "", 500).labels
    clock.advance(timedelta(minutes=2))

    known_at = datetime.fromisoformat(first.known_at)
    assert entities(live, since=known_at) == ["UA1", "UA2"]
    assert entities(live, since=known_at + timedelta(seconds=1)) == ["UA2"]
    assert entities(live, since=datetime.min.replace(tzinfo=UTC)) == ["UA1", "UA2"]


def test_a_use_case_file_reads_them_as_a_source(
    live: Workspace, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        judged(live, f"UA{number}", answer=number == 1)
    clock.advance(timedelta(minutes=2))
    monkeypatch.setenv("PILOTAGE_LABELS", key(live)["Authorization"])

    with serving(console(live)) as origin:
        declared = Rest(
            url=f"{origin}/v1/use-cases/{NAME}/labels",
            headers={"Authorization": "env:PILOTAGE_LABELS"},
            items="labels",
            paging="cursor",
            cursor="next",
            since="since",
            size=2,
        )
        asked = asked_for(rest=declared, event_time="judged_at", known_at="known_at")
        rows = rows_of(asked)

    assert sorted((row["entity"], row["answer"]) for row in rows) == [("UA0", "no"), ("UA1", "yes"), ("UA2", "no")]
    assert all(row["judged_at"] <= datetime.now(UTC).replace(tzinfo=None) for row in rows)


def test_labels_are_for_those_who_may_review(live: Workspace) -> None:
    with TestClient(console(live), raise_server_exceptions=False) as client:
        path = f"/v1/use-cases/{NAME}/labels"
        assert client.get(path, headers=key(live)).json() == {"labels": [], "next": ""}
        assert client.get(path, headers=key(live, "another")).status_code == 404
        assert client.get(path, headers=key(live), params={"cursor": "x"}).status_code == 422
