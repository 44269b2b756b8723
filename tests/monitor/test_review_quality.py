"""How well people review: agreement, time, what they follow, what they overlook; and who sees whose figures."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from litestar.testing import TestClient
from tests.living import happened
from tests.review.arranging import NAME, go_live, recorded, reviewer
from tests.review.serving import console, session
from tests.review.test_intake import adopted

from pilotage.decisions.records import Said
from pilotage.govern.cookies import SESSION
from pilotage.govern.records import Role
from pilotage.monitor.reviewing import flow as quality
from pilotage.monitor.reviewing.records import Judged
from pilotage.monitor.reviewing.rules import alpha, difference, quality_of, rate
from pilotage.outcomes import seeding
from pilotage.platform.clock import FixedClock
from pilotage.platform.workspace import Workspace
from pilotage.review import flow
from pilotage.review.records import Opinion, Verdict
from pilotage.usecase.records import CaseReason
from pilotage.web.glossary import glossary

AT = datetime(2013, 12, 5, tzinfo=UTC)
MEANT = re.compile(r'<span popover class="definition"[^>]*>.*?</span>|</?button[^>]*>', re.DOTALL)
JUDGED = re.compile(r"<b>(\d+)</b><span>(judged)</span>")
FIGURE = re.compile(r'<div class="figure[^"]*"><b>(.*?)</b><span>(.*?)</span><small>(.*?)</small>')


def judged(case: str, person: str, answer: Said | None, given: Said = True, why: CaseReason = "random") -> Judged:
    """One opinion, of a minute."""
    verdict = "rejected" if answer is None else "approved" if answer == given else "corrected"
    opinion = Opinion(
        case=case,
        round=1,
        use_case=NAME,
        person=person,
        verdict=verdict,  # type: ignore[arg-type]
        answer=answer,
        reason="" if verdict == "approved" else "Data looks wrong",
        blind=why == "blind",
        seconds=60.0,
        at=AT,
    )
    return Judged(opinion, why, given, None, is_random=why == "random")


def test_alpha_is_that_of_krippendorffs_own_example() -> None:
    # Krippendorff 2011, example C: 12 units, 4 observers, nominal data with what is missing; alpha is 0.743.
    rows = {
        "A": [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
        "B": [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
        "C": [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
        "D": [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
    }
    said = [
        judged(str(unit), person, str(value))
        for person, values in rows.items()
        for unit, value in enumerate(values)
        if value is not None
    ]

    assert alpha(said) == pytest.approx(0.743, abs=0.0005)


def test_alpha_is_undefined_where_nothing_was_judged_twice_or_all_said_the_same() -> None:
    assert alpha([judged("a", "anna", True), judged("b", "ben", False)]) is None
    assert alpha([judged("a", "anna", True), judged("a", "ben", True)]) is None
    assert alpha([]) is None


def test_what_seeing_the_model_adds_has_an_interval() -> None:
    seen = [judged(f"s{n}", "anna", n >= 4) for n in range(200)]  # 98 of 100 agree
    blind = [judged(f"b{n}", "anna", n >= 40, why="blind") for n in range(200)]  # 80 of 100

    found = quality_of(seen + blind)

    assert (found.seen.share, found.blind.share) == (0.98, 0.8)
    assert found.bias is not None and found.bias.value == pytest.approx(0.18)
    assert 0.11 < found.bias.low < 0.14 < 0.23 < found.bias.high < 0.25
    assert (found.changed.count, found.changed.of) == (4, 200)
    assert found.reasons == (("Data looks wrong", 4),)


def test_what_is_hard_and_drawn_at_random_counts_beside_blind_cases() -> None:
    """The blind share holds hard cases, too: against easy ones alone people would seem to follow the model."""
    easy = [judged(f"e{n}", "anna", True) for n in range(50)]
    hard = [judged(f"h{n}", "anna", n >= 25, why="uncertain") for n in range(50)]
    blind = [judged(f"b{n}", "anna", n >= 25, why="blind") for n in range(100)]
    found = quality_of(easy + [msgspec.structs.replace(each, is_random=True) for each in hard] + blind)
    assert (found.seen.share, found.blind.share) == (0.75, 0.75)
    assert quality_of(easy + hard + blind).seen.share == 1.0, "those that were not drawn do not count"


def test_the_draw_says_what_is_random_whatever_a_case_is_listed_by(work: Workspace) -> None:
    adopted(work, "  samples: {random: 0.5}\n")
    go_live(work)
    for number in range(16):
        recorded(work, entity=f"UA{number}", review=True, band="uncertain", probability=0.26)
    flow.take_in(work)
    for case in flow.queue(work, NAME):
        held = flow.lease(work, case.id, reviewer("anna"))
        flow.judge(work, case.id, held.fence, True, "", reviewer("anna"))
    found = quality._judged(work, NAME)
    assert {each.why for each in found} == {"uncertain"}
    assert [each.is_random for each in found].count(True) in range(1, 16), "half of them, give or take"
    assert quality.quality(work, NAME).seen.of == [each.is_random for each in found].count(True)


def test_shares_of_nothing_are_no_shares() -> None:
    assert rate(0, 0).share is None
    assert difference(rate(1, 2), rate(0, 0)) is None


@pytest.fixture
def live(work: Workspace) -> Workspace:
    """In assist; one known case for every two others."""
    adopted(work, "  samples: {known: 0.5, random: 1}\n")
    go_live(work)
    return work


@pytest.mark.both_stores
def test_known_cases_come_as_often_as_the_file_says_and_look_like_blind_ones(
    live: Workspace, clock: FixedClock
) -> None:
    old = [recorded(live, entity=f"OLD{n}") for n in range(5)]
    flow.take_in(live)
    assert seeding.seed(live) == 0  # all have cases, and no outcome is known

    adopted(live, "  samples: {known: 0.5}\n")
    past = recorded(live, entity="PAST", probability=0.9)
    happened(live, past.id, False, clock.now())

    assert seeding.seed(live) == 1  # of two that are due there is only one
    assert seeding.seed(live) == 0
    case = next(each for each in flow.queue(live, NAME) if each.decision == past.id)
    view = flow.look(live, case)
    assert (case.why, view.case.why, view.model, view.given, len(old)) == ("known", "blind", None, None, 5)

    held = flow.lease(live, case.id, reviewer("anna"))
    flow.judge(live, case.id, held.fence, True, "", reviewer("anna"))
    found = quality.quality(live, NAME)
    assert (found.missed.count, found.missed.of) == (1, 1)


def test_each_sees_their_own_figures_and_the_owner_all_together_without_names(
    live: Workspace, clock: FixedClock
) -> None:
    people = ("anna", "ben", "cleo")
    for number, person in enumerate(people * 2):
        recorded(live, entity=f"UA{number}")
        flow.take_in(live)
        case = flow.lease_next(live, NAME, reviewer(person))
        assert case is not None
        clock.advance(timedelta(seconds=30 + number))
        flow.submit(live, case.id, case.fence, "approved", None, "", reviewer(person))

    path = f"/use-cases/{NAME}/queue/quality"
    with TestClient(console(live), raise_server_exceptions=False) as client:
        client.cookies.set(SESSION, session(live, "anna"))
        mine = client.get(path).text
        client.cookies.set(SESSION, session(live, "lead", Role.OWNER))
        all_together = client.get(path).text
        client.cookies.set(SESSION, session(live, "viewer", Role.VIEWER))
        assert client.get(path).status_code == 403

    assert ("2", "judged") in JUDGED.findall(mine) and "All together" not in mine
    assert ("6", "judged") in JUDGED.findall(all_together) and "You have judged nothing here yet" in all_together
    for text, others in ((mine, ("ben", "cleo")), (all_together, people)):
        assert not [name for name in others if f">{name}<" in text or f"by {name}" in text]


def judges(live: Workspace, person: str, verdict: Verdict = "approved", reason: str = "") -> None:
    """Somebody is given a fresh case and judges it."""
    recorded(live)
    flow.take_in(live)
    case = flow.lease_next(live, NAME, reviewer(person))
    assert case is not None
    corrected = False if verdict == "corrected" else None
    flow.submit(live, case.id, case.fence, verdict, corrected, reason, reviewer(person))


def page_of(live: Workspace, person: str, role: Role = Role.OWNER) -> str:
    with TestClient(console(live), raise_server_exceptions=False) as client:
        client.cookies.set(SESSION, session(live, person, role))
        return client.get(f"/use-cases/{NAME}/queue/quality").text


@pytest.mark.parametrize(("lead", "others"), [("lead", "anna ben"), ("cleo", "anna ben cleo")])
def test_who_leads_learns_nothing_of_two_people_also_by_taking_away_their_own_figures(
    live: Workspace, lead: str, others: str
) -> None:
    for person in others.split():
        judges(live, person)

    assert "Shown once 3 people besides you have judged cases" in page_of(live, lead)

    judges(live, "dora")
    page = page_of(live, "another lead" if lead == "lead" else "lead of all")
    assert "besides you" not in page and "Undefined" in page


def test_a_reason_in_the_words_of_one_person_is_theirs_and_one_of_two_is_told(live: Workspace) -> None:
    for person in ("anna", "ben", "cleo"):
        judges(live, person)
    judges(live, "anna", "corrected", "as my shift saw on Tuesday")
    judges(live, "anna", "corrected", "Data looks wrong")
    judges(live, "ben", "corrected", "Data looks wrong")

    together, own = page_of(live, "lead"), page_of(live, "anna", Role.REVIEWER)

    assert "as my shift saw" not in together and "reasons that one person alone gave" in together
    assert "Data looks wrong" in together
    assert "as my shift saw on Tuesday" in own


def test_the_page_tells_agreement_bias_and_what_was_missed(live: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [judged(f"s{n}", person, n >= 1) for n in range(60) for person in ("anna", "ben", "cleo")]
    found += [judged(f"b{n}", "anna", n >= 30, why="blind") for n in range(60)]
    found.append(judged("split", "anna", True))
    found.append(judged("split", "ben", False))
    known = judged("k", "ben", True, why="known")
    found.append(msgspec.structs.replace(known, happened=False))
    monkeypatch.setattr(quality, "_judged", lambda *_: found)

    page = page_of(live, "lead")
    figures = {label: (value, note) for value, label, note in FIGURE.findall(MEANT.sub("", page))}

    assert figures["Agreement"][0] == "0.75"
    assert "Krippendorff&#39;s alpha over 61 cases" in figures["Agreement"][1]
    assert figures["Automation bias"][0] == "48 points"
    assert "people follow the model beyond what they would say alone; 95 % interval" in figures["Automation bias"][1]
    assert figures["known cases missed"][0].startswith("100")
    assert figures["overridden"][1].startswith("verdicts against the answer, of those who saw it: 4 of 183")
    for word in ("Krippendorff's alpha", "automation bias", "agreement", "interval", "blind case"):
        assert html.escape(glossary()[word.lower()], quote=False)[:40] in html.unescape(page)


def test_what_is_not_known_is_called_undefined(live: Workspace) -> None:
    for person in ("anna", "ben", "cleo"):
        judges(live, person)

    figures = {label: (value, note) for value, label, note in FIGURE.findall(MEANT.sub("", page_of(live, "lead")))}

    assert figures["Agreement"] == ("Undefined", "no case was judged by two people")
    assert figures["Automation bias"][0] == "Undefined"
