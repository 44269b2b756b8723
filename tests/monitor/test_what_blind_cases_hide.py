"""Two installations that differ only in what blind cases hide look the same to whoever may review."""

from __future__ import annotations

import html
import random
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import httpx
import msgspec
import pytest
from tests.conftest import POSTGRESQL
from tests.decisions.losing import Told, Waiter, call_all
from tests.living import NAME, Visitor, happened, release, visitor
from tests.postgres import FreshDatabases
from tests.review.arranging import OF_KIND, a_decision, adopt, go_live, of_kind, record, reviewer
from tests.review.test_intake import adopted

from pilotage.decisions import store as ledger
from pilotage.decisions.durable import draining
from pilotage.decisions.durable.spool import Spool
from pilotage.decisions.records import Decision
from pilotage.govern import flow as governing
from pilotage.govern.records import SYSTEM, Grant, Role
from pilotage.monitor import flow as monitoring
from pilotage.monitor.reviewing import flow as quality
from pilotage.platform.clock import FixedClock
from pilotage.platform.identifiers import new_id
from pilotage.platform.settings import Settings
from pilotage.platform.workspace import Workspace, open_workspace
from pilotage.review import flow as reviewing
from pilotage.review.rules.picking import drawn
from pilotage.usecase import flow as defining

PAGE = f"/use-cases/{NAME}/decisions"
BLIND = 0.4
DECISIONS = 130
OTHERWISE = {
    "answer": False,
    "action": "Leave as planned",
    "model_answer": False,
    "rule_answer": None,
    "probability": 0.1234,
    "band": "low",
    "signals": (),
    "latency_us": 123_456,
}
"""What is hidden of a blind case, in the second installation."""
FILTERS = (
    "",
    "q=flight 1",
    "produced_by=model",
    "produced_by=rule",
    "reason=model",
    "reason=too_slow",
    "stage=assist",
    "version=1",
    "version=2",
    "version=2&q=flight",
    "q=flight 7&produced_by=model",
    "since=2013-12-06&stage=assist",
)
CHANGING = re.compile(r"(case|ver|rel|term|fbk|usr|key)[_-][0-9A-Za-z]+|name=\"_csrf_token\" value=\"[^\"]*\"")


Twin = Callable[[], Workspace]


@pytest.fixture
def twin(store: str, tmp_path: Path, clock: FixedClock, request: pytest.FixtureRequest) -> Iterator[Twin]:
    """Makes another fresh installation on the same kind of store, at the same time of day."""
    began = clock.now()
    with ExitStack() as stack:

        def made() -> Workspace:
            home, url = tmp_path / "twin", ""
            home.mkdir()
            if store == POSTGRESQL:
                databases: FreshDatabases = request.getfixturevalue("fresh_databases")
                url = stack.enter_context(databases.one())
            else:
                shutil.copy(request.getfixturevalue("fresh_database"), home)
            work = open_workspace(Settings(home=home, database_url=url), FixedClock(began))
            stack.callback(work.close)
            return work

        yield made


def _decisions(work: Workspace, versions: tuple[str, str], is_other: bool) -> list[Decision]:
    """The same in both, but for what is hidden of those that are drawn to be judged blind."""
    draw, found = random.Random(5), []
    for number in range(DECISIONS):
        at = work.clock.now() + timedelta(minutes=15 * number)
        one = a_decision(
            at,
            id=new_id("dec", at, draw.randbytes(16)),
            entity=f"flight {number}",
            version=versions[0],
            probability=0.3 + number / 1000,
        )
        if drawn(one.id, "sample") < BLIND:
            if is_other and number % 3:
                one = msgspec.structs.replace(one, version=versions[1], **OTHERWISE)
        elif number % 4 == 0:
            one = msgspec.structs.replace(one, produced_by="rule", reason="too_slow")
        found.append(one)
    return found


def _lived(work: Workspace, is_other: bool) -> Workspace:
    adopted(work, f"  samples: {{blind: {BLIND}}}\n")
    definition = defining.find_adopted(work, NAME)
    versions = (release(work, definition, 1).version, release(work, definition, 2).version)
    go_live(work)
    assert versions[0] and versions[1]
    record(work, *_decisions(work, (versions[0], versions[1]), is_other))
    assert isinstance(work.clock, FixedClock)
    work.clock.advance(timedelta(minutes=15 * DECISIONS))
    return work


def _plain(page: httpx.Response) -> str:
    assert page.status_code == 200, page.text
    return CHANGING.sub("…", page.text)


def _pages_of(person: Visitor, query: str) -> list[str]:
    """A search, page by page, to its end."""
    seen, at = [], f"{PAGE}?{query}"
    while at:
        page = person.get(at)
        seen.append(_plain(page))
        onward = re.findall(r'href="(\?[^"]*before=[^"]*)"', page.text)
        at = f"{PAGE}{html.unescape(onward[0])}" if onward else ""
    return seen


def _seen(work: Workspace, role: Role) -> dict[str, list[str]]:
    """Everything that somebody of this role sees of the use case's decisions and cases."""
    with visitor(work, role) as person:
        found = {query: _pages_of(person, query) for query in FILTERS}
        listed = sorted(set(re.findall(r'"/decisions/(dec_\w+)"', person.get(PAGE).text)))
        found["whole"] = [_plain(person.get(f"/decisions/{each}")) for each in listed if drawn(each, "sample") < BLIND]
        key = governing.make_key(work, SYSTEM, "queue", (Grant(Role.REVIEWER, NAME),))
        person.client.headers["Authorization"] = f"Bearer {key}"
        for path in (f"/use-cases/{NAME}/queue", f"/use-cases/{NAME}/queue/quality"):
            found[path] = [_plain(person.get(path))]
        for path in (f"/v1/use-cases/{NAME}/cases?limit=500", f"/v1/use-cases/{NAME}/labels"):
            found[path] = [_plain(person.get(path))]
        cases = [each.id for each in reviewing.queue(work, NAME)]
        found["cases"] = [_plain(person.get(f"/v1/cases/{each}")) for each in cases[:10]]
        found["case pages"] = [_plain(person.get(f"/queue/cases/{each}")) for each in cases[:5]]
    return found


@pytest.mark.both_stores
def test_two_installations_that_differ_in_hidden_answers_look_the_same_to_a_reviewer(
    work: Workspace, twin: Twin
) -> None:
    _the_same(work, twin(), Role.REVIEWER)


def test_they_look_the_same_to_an_owner_who_may_review(work: Workspace, twin: Twin) -> None:
    _the_same(work, twin(), Role.OWNER)


def _the_same(work: Workspace, twin: Workspace, role: Role) -> None:
    one, other = _seen(_lived(work, False), role), _seen(_lived(twin, True), role)
    assert len(one["whole"]) > 10 and len(one["cases"]) == 10
    assert [name for name in one if one[name] != other[name]] == []
    for told in ("12.34", "0.1234", "123.5 ms"):
        assert not any(told in page for pages in other.values() for page in pages), told


@pytest.mark.both_stores
def test_what_answers_were_worth_tells_nothing_of_an_open_blind_case(work: Workspace, twin: Twin) -> None:
    said = {}
    for name, one, answer in (("one", work, True), ("other", twin(), False)):
        adopted(one, "  samples: {blind: 1}\n")
        go_live(one)
        fields = {"answer": answer, "model_answer": answer, "rule_answer": not answer}
        record(one, decision := a_decision(one.clock.now(), version=None, **fields))
        reviewing.take_in(one)
        happened(one, decision.id, True, one.clock.now())
        with visitor(one, Role.REVIEWER) as person:
            pages = [person.get(f"/use-cases/{NAME}{page}") for page in ("", "/operate", "/readiness")]
            said[name] = [_plain(page) for page in pages]
            anna = reviewer("anna")
            case = reviewing.lease_next(one, NAME, anna)
            assert case and case.blind
            reviewing.judge(one, case.id, case.fence, True, "", anna)
            said[f"{name}, closed"] = [_plain(person.get(f"/use-cases/{NAME}/operate"))]
    assert said["one"] == said["other"]
    assert "Of <strong>1</strong> more the outcome is known" in said["one"][1]
    assert "on the <strong>same 1 decisions</strong>" not in said["one"][1]
    assert said["one, closed"] != said["other, closed"]
    assert "on the <strong>same 1 decisions</strong>" in said["one, closed"][0]


def test_the_difference_is_there_for_who_may_not_review(work: Workspace, twin: Twin) -> None:
    with visitor(_lived(work, False), Role.VIEWER) as person, visitor(_lived(twin(), True), Role.VIEWER) as another:
        differ = [query for query in FILTERS if _pages_of(person, query) != _pages_of(another, query)]
    assert {"", "version=1", "version=2"} <= set(differ)


@pytest.mark.both_stores
def test_a_search_by_answer_is_filled_up_and_goes_on_after_its_last_row(work: Workspace) -> None:
    _lived(work, False)
    with visitor(work, Role.REVIEWER) as person:
        pages = _pages_of(person, "produced_by=model")
    rows = [re.findall(r'"/decisions/(dec_\w+)"', page) for page in pages]
    found = [each for page in rows for each in page]
    wanted = [each for each in _decisions_by_model(work) if drawn(each, "sample") >= BLIND]
    assert [len(page) for page in rows][:-1] == [50] * (len(rows) - 1)
    assert found == wanted


def _decisions_by_model(work: Workspace) -> list[str]:
    with visitor(work, Role.VIEWER) as person:
        pages = _pages_of(person, "produced_by=model")
    return [each for page in pages for each in re.findall(r'"/decisions/(dec_\w+)"', page)]


def test_what_came_this_second_is_hidden_before_anybody_opened_its_case(work: Workspace) -> None:
    adopted(work, "  samples: {blind: 1}\n")
    go_live(work)
    decision = a_decision(work.clock.now(), probability=0.6731, version=None)
    record(work, decision)
    with visitor(work, Role.REVIEWER) as person:
        whole = person.get(f"/decisions/{decision.id}").text
        other = a_decision(work.clock.now(), probability=0.6731, version=None)
        record(work, other)
        by_answer = person.get(f"{PAGE}?produced_by=model").text
        third = a_decision(work.clock.now(), probability=0.6731, version=None)
        record(work, third)
        listed = person.get(PAGE).text
    assert "67.3" not in whole + listed
    assert "/decisions/dec_" not in by_answer
    assert listed.count("Kept from reviewers") == 3


def test_what_is_still_on_its_way_into_the_ledger_is_hidden_too(work: Workspace) -> None:
    adopted(work, f"  samples: {{blind: {BLIND}}}\n")
    go_live(work)
    fresh = [a_decision(work.clock.now(), probability=0.6731, version=None) for _ in range(40)]
    blind = {each.id for each in fresh if drawn(each.id, "sample") < BLIND}
    assert 0 < len(blind) < len(fresh)
    spool: Spool[Told] = Spool(work.settings.spool_folder, 1 << 24, call_all)
    waiter = Waiter()
    for each in fresh:
        waiter.hand(spool, ledger.encode(each), each.id.encode())
    waiter.wait_for(len(fresh))
    with visitor(work, Role.REVIEWER) as person:
        told = {each.id for each in fresh if "67.3" in person.get(f"/decisions/{each.id}").text}
        one = person.get(f"/decisions/{min(blind)}").text
        draining.drain(work, spool)
        afterwards = person.get(f"/decisions/{min(blind)}").text
    spool.close()
    assert told == {each.id for each in fresh} - blind
    assert "It is being recorded" in one and "Open the review case" not in one
    assert "67.3" not in afterwards and "Open the review case" in afterwards


def test_a_decision_is_found_again_once_its_case_is_judged(work: Workspace) -> None:
    adopted(work, "  samples: {blind: 1}\n")
    go_live(work)
    decision = a_decision(work.clock.now(), version=None)
    record(work, decision)
    anna = reviewer("anna")
    with visitor(work, Role.REVIEWER) as person:
        before = person.get(f"{PAGE}?produced_by=model").text
        case = reviewing.lease_next(work, NAME, anna)
        assert case
        reviewing.judge(work, case.id, case.fence, True, "", anna)
        after = person.get(f"{PAGE}?produced_by=model").text
    assert (decision.id in before, decision.id in after) == (False, True)


def test_ones_own_agreement_does_not_tell_what_was_answered_before_the_case_is_decided(work: Workspace) -> None:
    adopted(work, "  samples: {blind: 1}\n  four_eyes: [blind]\n")
    go_live(work)
    record(work, a_decision(work.clock.now(), version=None))
    anna, ben = reviewer("anna"), reviewer("ben")
    first = reviewing.lease_next(work, NAME, anna)
    assert first
    reviewing.judge(work, first.id, first.fence, True, "", anna)
    assert quality.quality(work, NAME, "anna").blind.of == 0
    second = reviewing.lease_next(work, NAME, ben)
    assert second
    reviewing.judge(work, second.id, second.fence, True, "", ben)
    assert quality.quality(work, NAME, "anna").blind.of == 1


def test_the_categories_to_choose_from_do_not_tell_which_was_answered(work: Workspace) -> None:
    text = of_kind("category").text.replace("  deadline: 1 hour\n", "  deadline: 1 hour\n  samples: {blind: 1}\n")
    assert OF_KIND["category"][0] in text
    definition = defining.adopt(work, defining.parse_definition(text, "late_arrival.yaml"), SYSTEM)
    go_live(work)
    record(work, a_decision(work.clock.now(), answer="rare", model_answer="rare", rule_answer="late", version=None))
    anna = reviewer("anna")
    case = reviewing.lease_next(work, definition.name, anna)
    assert case and case.blind
    assert [value for value, _ in reviewing.look(work, case).choices] == ["late"]
    reviewing.judge(work, case.id, case.fence, "late", "", anna)
    decided = reviewing.find_case(work, case.id)
    assert {value for value, _ in reviewing.look(work, decided).choices} == {"late", "rare"}


def test_whoever_may_not_review_finds_by_answer_as_before(work: Workspace) -> None:
    adopt(work)
    with visitor(work, Role.VIEWER) as person:
        assert "You may review here" not in person.get(f"{PAGE}?q=a").text
    with visitor(work, Role.REVIEWER) as person:
        assert "You may review here" in person.get(f"{PAGE}?q=a").text
    assert monitoring.judges(reviewer("anna"), NAME)
