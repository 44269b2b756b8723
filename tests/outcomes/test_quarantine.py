"""Outcomes of decisions that nobody knows: seen with the reason, tried again, dismissed, forgotten in time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.decisions.asking import key_of
from tests.living import visitor
from tests.outcomes.test_reporting import Told, app, definition, told

from pilotage.cli.main import run
from pilotage.govern import flow as governing
from pilotage.govern.records import SYSTEM, Role
from pilotage.outcomes import quarantine, reports_store
from pilotage.platform.clock import FixedClock
from pilotage.platform.errors import NotFound
from pilotage.platform.workspace import Workspace

pytestmark = pytest.mark.both_stores
__all__ = ["app", "definition"]

PAGE = "/use-cases/small/quarantine"


def whys(work: Workspace) -> dict[str, str]:
    return {each.report.id: each.why for each in quarantine.waiting(work, "small")}


def test_each_says_why_it_waits(app: Told) -> None:
    app.tell(told(1, decision="dec_nobody"), told(2, use_case="small", entity="never asked"))
    found = whys(app.work)
    assert "no decision with this identifier" in found["e1"]
    assert "Nobody asked about this entity yet" in found["e2"]
    assert quarantine.count(app.work, "small") == 2


def test_of_a_key_of_another_use_case_nothing_is_shown_here(app: Told) -> None:
    stranger = key_of(app.work, "stranger", use_case="elsewhere")
    assert app.tell(told(3, decision="dec_nobody"), key=stranger).json()["results"][0]["effect"] == "quarantined"
    assert whys(app.work) == {}
    with pytest.raises(NotFound):
        quarantine.dismiss(app.work, "small", "crm", "e3", 1, SYSTEM)


def test_trying_again_joins_what_turned_up(app: Told) -> None:
    app.tell(told(1, use_case="small", entity="late"), told(2, decision="dec_nobody"))
    app.decide("late")
    with visitor(app.work, Role.OWNER, "small") as person:
        answer = person.post(f"{PAGE}/retry", {})
        assert answer.headers["location"] == f"{PAGE}?joined=1"
        page = person.get(f"{PAGE}?joined=1").text
    assert "1 outcome was joined." in page
    assert list(whys(app.work)) == ["e2"]
    assert len(app.counts()) == 1


@pytest.mark.parametrize(("role", "may"), [(Role.OWNER, True), (Role.BUILDER, True), (Role.VIEWER, False)])
def test_those_who_may_dismiss_and_it_is_in_the_audit_log(app: Told, role: Role, may: bool) -> None:
    app.tell(told(1, decision="dec_nobody"))
    with visitor(app.work, role, "small") as person:
        page = person.get(PAGE).text
        answer = person.post(f"{PAGE}/dismiss", {"source": "crm", "id": "e1", "version": "1"})
    assert "dec_nobody" in page
    assert ("Dismiss" in page, answer.status_code) == ((True, 303) if may else (False, 403))
    assert (whys(app.work) == {}) is may
    entries = list(governing.entries(app.work, action="outcome.dismissed"))
    assert [each.detail["outcome"] for each in entries] == (["crm/e1/1"] if may else [])
    if may:  # told again, it waits again
        assert app.effects(told(1, decision="dec_nobody")) == [(202, "quarantined")]


def test_the_operate_page_counts_them(app: Told) -> None:
    app.decide("a")
    app.tell(told(1, decision="dec_nobody"))
    with visitor(app.work, Role.VIEWER, "small") as person:
        assert "1 outcome in quarantine" in person.get("/use-cases/small/operate").text


def test_they_are_forgotten_in_time_and_the_audit_log_says_how_many(app: Told, clock: FixedClock) -> None:
    app.tell(told(1, decision="dec_nobody"), told(2, use_case="small", entity="never"))
    clock.advance(timedelta(days=app.work.settings.quarantine_days - 1))
    app.tell(told(3, decision="dec_nobody"))
    assert quarantine.forget_old(app.work) == 0
    clock.advance(timedelta(days=2))
    assert quarantine.forget_old(app.work) == 2
    assert quarantine.forget_old(app.work) == 0
    (entry,) = governing.entries(app.work, action="outcomes.quarantine-removed")
    assert (entry.detail["removed"], entry.detail["by_use_case"]) == (2, {"none named": 1, "small": 1})
    assert list(whys(app.work)) == ["e3"]
    assert governing.verify(app.work).valid


def test_what_was_forgotten_before_a_crash_is_in_the_audit_log(
    app: Told, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.tell(*(told(number, decision="dec_nobody") for number in range(3)))
    clock.advance(timedelta(days=app.work.settings.quarantine_days + 1))
    monkeypatch.setattr(quarantine, "_FORGOTTEN_AT_ONCE", 2)
    real, batches = reports_store.quarantined_before, []

    def dying(*given: Any) -> Any:
        batches.append(given)
        if len(batches) == 2:
            raise KeyboardInterrupt
        return real(*given)

    monkeypatch.setattr(reports_store, "quarantined_before", dying)
    with pytest.raises(KeyboardInterrupt):
        quarantine.forget_old(app.work)
    assert quarantine.forget_old(app.work) == 1
    entries = governing.entries(app.work, action="outcomes.quarantine-removed")
    assert sorted(each.detail["removed"] for each in entries) == [1, 2]


def test_the_command_lists_them(app: Told, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    app.tell(told(1, decision="dec_nobody"))
    monkeypatch.setenv("PILOTAGE_HOME", str(app.work.home))
    assert run(["outcomes", "small", "--quarantined"]) == 0
    said = capsys.readouterr().out
    assert "1 outcome in quarantine." in said
    assert "dec_nobody" in said


def test_what_a_disabled_key_told_says_so(app: Told) -> None:
    app.tell(told(1, use_case="small", entity="late"))
    key = next(each for each in governing.all_keys(app.work).values())
    governing.disable_key(app.work, SYSTEM, key.id)
    assert "is disabled" in whys(app.work)["e1"]
