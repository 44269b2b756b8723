"""Outcomes that apps tell: one effect per event and version, however shuffled, repeated or corrected."""

from __future__ import annotations

import asyncio
import json
import random
from typing import Any

import httpx
import msgspec
import pytest
from tests.decisions.asking import PATH, QUESTION, asked, key_of
from tests.decisions.test_service import FILE, Model, serving

from pilotage.govern import flow as governing
from pilotage.govern.records import SYSTEM, Grant, Role
from pilotage.outcomes import flow, reporting
from pilotage.outcomes.reports_store import reports
from pilotage.outcomes.store import outcomes
from pilotage.platform.workspace import Workspace
from pilotage.usecase.flow import adopt, parse_definition
from pilotage.usecase.records import Definition

pytestmark = pytest.mark.both_stores
ADDRESS = "/v1/outcomes"


@pytest.fixture
def definition(work: Workspace) -> Definition:
    return adopt(work, parse_definition(FILE.replace("latency_ms: 50", "latency_ms: 5000"), "small.yaml"), SYSTEM)


def told(number: int, happened: Any = True, version: int = 1, hour: int = 1, **about: str) -> dict[str, Any]:
    known_at = f"2013-12-07T{hour:02}:00:00Z"
    return {
        "source": "crm",
        "id": f"e{number}",
        "version": version,
        "happened": happened,
        "known_at": known_at,
        **about,
    }


class Told:
    """An installation with some decisions, and a caller who tells outcomes."""

    def __init__(self, work: Workspace, definition: Definition) -> None:
        self.work, self.ready, self.key = work, serving(definition, Model(lambda: 0.6)), key_of(work)

    def decide(self, *things: str) -> list[str]:
        async def all_of_them() -> list[str]:
            async with asked(self.work, self.ready, self.key) as (client, _):
                made = [await client.post(PATH, json={**QUESTION, "thing": thing}) for thing in things]
                return [each.json()["id"] for each in made]

        return asyncio.run(all_of_them())

    def tell(self, *rows: Any, key: str | None = None) -> httpx.Response:
        async def once() -> httpx.Response:
            async with asked(self.work, self.ready, key or self.key) as (client, _):
                body = json.dumps({"outcomes": list(rows)})  # in ASCII: halves of letters as JavaScript sends them
                return await client.post(ADDRESS, content=body, headers={"Content-Type": "application/json"})

        return asyncio.run(once())

    def effects(self, *rows: Any) -> list[tuple[int, str]]:
        return [(each["status"], each["effect"]) for each in self.tell(*rows).json()["results"]]

    def counts(self) -> dict[str, tuple[Any, str]]:
        return {name: (each.happened, each.told_by) for name, each in flow.newest(self.work, "small").items()}


@pytest.fixture
def app(work: Workspace, definition: Definition) -> Told:
    return Told(work, definition)


def test_an_outcome_is_told_of_a_decision_or_of_an_entity(app: Told) -> None:
    one, two = app.decide("a", "b")
    assert app.effects(told(1, True, decision=one), told(2, False, use_case="small", entity="b")) == [
        (200, "joined"),
        (200, "joined"),
    ]
    assert app.counts() == {one: (True, "crm/e1/1"), two: (False, "crm/e2/1")}


def test_what_is_told_again_changes_nothing_and_what_is_told_otherwise_needs_a_new_version(app: Told) -> None:
    (one,) = app.decide("a")
    assert app.effects(told(1, True, decision=one), told(1, True, decision=one)) == [(200, "joined"), (200, "repeated")]
    assert app.effects(told(1, True, decision=one)) == [(200, "repeated")]
    assert app.effects(told(1, False, decision=one)) == [(409, "refused")]
    assert app.effects(told(1, False, version=2, decision=one)) == [(200, "corrected")]
    assert app.counts() == {one: (False, "crm/e1/2")}
    assert len(flow.of_decision(app.work, one)) == 2


def test_however_events_are_shuffled_repeated_and_parted_the_same_counts(
    work: Workspace, definition: Definition
) -> None:
    """40 shuffles of 24 reports with corrections and two systems, in parts of 1 to 10, each part sent up to twice."""
    app = Told(work, definition)
    things = [f"t{number}" for number in range(4)]
    made = app.decide(*things)
    (by,) = governing.all_keys(work).values()
    told_rows = [
        told(
            10 * place + source,
            (place + version) % 2 == 0,
            version,
            hour=(7 * place + 5 * version + source) % 20,
            **about,
        )
        for place, (thing, decision) in enumerate(zip(things, made, strict=True))
        for source, about in enumerate(({"decision": decision}, {"use_case": "small", "entity": thing}))
        for version in (1, 2, 3)
    ]
    ends = set()
    for seed in range(40):
        shuffled = random.Random(seed)
        rows = [msgspec.convert({**row, "source": f"s{seed}"}, reporting.ReportRow) for row in told_rows]
        shuffled.shuffle(rows)
        while rows:
            count = shuffled.randint(1, 10)
            part, rows = rows[:count], rows[count:]
            for _ in range(shuffled.randint(1, 2)):
                reporting.report(work, by, part)
        ends.add(
            tuple(sorted((name, said, told_by.split("/", 1)[1]) for name, (said, told_by) in app.counts().items()))
        )
        with work.database.writing() as connection:
            connection.execute(reports.delete())
            connection.execute(outcomes.delete())
    assert len(ends) == 1, f"{len(ends)} different ends of 40 shuffles"


def test_what_nobody_decided_is_quarantined_listed_and_joined_when_it_turns_up(app: Told) -> None:
    assert app.effects(told(1, True, use_case="small", entity="late")) == [(202, "quarantined")]
    assert app.effects(told(2, True, decision="dec_unheard")) == [(202, "quarantined")]

    async def listed() -> httpx.Response:
        async with asked(app.work, app.ready, app.key) as (client, _):
            return await client.get(f"{ADDRESS}/quarantined")

    assert {each["id"] for each in asyncio.run(listed()).json()["outcomes"]} == {"e1", "e2"}
    assert reporting.settle(app.work) == 0
    (late,) = app.decide("late")
    assert reporting.settle(app.work) == 1
    assert app.counts() == {late: (True, "crm/e1/1")}
    assert [joined.known_before for joined in flow.of_decision(app.work, late)] == [False]
    assert {each.id for each in reporting.quarantined(app.work)} == {"e2"}


def test_more_than_one_transaction_joins_are_joined_at_one_look(app: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reporting, "_SETTLED_AT_ONCE", 2)
    things = [f"late{number}" for number in range(5)]
    assert (
        app.effects(*(told(n, n % 2 == 0, use_case="small", entity=each) for n, each in enumerate(things)))
        == [(202, "quarantined")] * 5
    )
    late = app.decide(*things)
    assert reporting.settle(app.work) == 5
    assert app.counts() == {each: (n % 2 == 0, f"crm/e{n}/1") for n, each in enumerate(late)}


def test_another_apps_decision_looks_like_none(app: Told) -> None:
    (one,) = app.decide("a")
    stranger = key_of(app.work, "stranger", use_case="elsewhere")
    results = app.tell(told(1, decision=one), told(2, use_case="small", entity="a"), key=stranger).json()["results"]
    assert [each["status"] for each in results] == [202, 404]
    assert reporting.settle(app.work) == 0
    assert app.counts() == {}


@pytest.mark.parametrize(
    "row",
    [
        told(1),
        told(1, use_case="small"),
        told(1, 7, use_case="small", entity="a"),
        told(1, "yes", use_case="small", entity="a"),
        {"source": "crm"},
        {**told(1, entity="a", use_case="small"), "known_at": "2013-12-07T01:00:00"},
        {**told(1, entity="a", use_case="small"), "version": -1},
        {**told(1, entity="a", use_case="small"), "extra": 1},
        7,
    ],
)
def test_a_row_that_does_not_fit_is_refused_alone(app: Told, row: Any) -> None:
    (one,) = app.decide("a")
    assert [status for status, _ in app.effects(row, told(2, True, decision=one))] == [422, 200]


def test_what_no_store_can_keep_refuses_its_row_alone_and_says_why(app: Told) -> None:
    about = {"use_case": "small", "entity": "a"}
    year, nul, half = (
        "known_at must lie between the years 1 and 9999",
        "must be without the letter NUL",
        "half of a letter",
    )
    rows = [
        ({**told(1, **about), "known_at": "9999-12-31T23:59:59-05:00"}, year),
        ({**told(1, **about), "known_at": "0001-01-01T00:00:00+10:00"}, year),
        ({**told(1, **about), "source": "\0"}, f"source {nul}"),
        ({**told(1, **about), "id": "e\0"}, f"id {nul}"),
        (told(1, decision="dec_\0", entity="\0"), f"decision, entity {nul}"),
        (told(1, use_case="small\0", entity="a"), f"use_case {nul}"),
        ({**told(1, **about), "id": "\ud83d"}, half),
        ({**told(1, **about), "id": "\ude00 end"}, half),
        (told(1, **about, half="\ud83d"), "unknown field `half`"),
        (told(1, **about, whole="\ud83d\ude00"), "unknown field `whole`"),
    ]
    results = app.tell(*(row for row, _ in rows), {**told(2, **about), "id": "\U0001f600"}).json()["results"]
    assert [each["status"] for each in results] == [422] * len(rows) + [202]
    for result, (_, said) in zip(results, rows, strict=False):
        assert said in result["problem"]
    assert [each.id for each in reporting.quarantined(app.work)] == ["\U0001f600"]


def test_what_a_key_told_early_is_joined_when_the_key_that_replaced_it_tells_it_again(app: Told) -> None:
    row, other = told(1, use_case="small", entity="late"), told(2, use_case="small", entity="late", hour=2)
    assert app.effects(row, other) == [(202, "quarantined")] * 2
    second = key_of(app.work, "second")
    assert app.tell(other, key=second).json()["results"][0]["effect"] == "quarantined"
    disable(app.work, "app")
    app.key = second
    (late,) = app.decide("late")
    assert reporting.settle(app.work) == 1, "what the second key told, too"
    assert app.counts() == {late: (True, "crm/e2/1")}
    assert app.effects(row, row) == [(200, "joined"), (200, "repeated")]
    assert reporting.quarantined(app.work) == []


def test_what_a_key_without_the_right_told_first_does_not_keep_the_right_one_from_it(app: Told) -> None:
    one, two, three = app.decide("a", "b", "c")
    stranger = key_of(app.work, "stranger", use_case="elsewhere")
    rows = [told(1, decision=one), told(2, False, decision=two), told(3, decision="dec_none"), told(4, decision=three)]
    assert [each["status"] for each in app.tell(*rows, key=stranger).json()["results"]] == [202] * 4
    assert app.effects(told(1, decision=one), told(2, True, decision=two)) == [(200, "joined")] * 2
    assert app.effects(told(3, version=2, decision=three)) == [(200, "joined")]
    assert app.counts() == {one: (True, "crm/e1/1"), two: (True, "crm/e2/1"), three: (True, "crm/e3/2")}


def test_what_waits_by_right_is_not_taken_by_a_key_without(app: Told) -> None:
    stranger = key_of(app.work, "stranger", use_case="elsewhere")
    (one,) = app.decide("a")
    assert app.effects(told(1, decision=one), told(2, decision="dec_none")) == [(200, "joined"), (202, "quarantined")]
    with app.work.database.writing() as connection:  # as while the decision was still on its way into the ledger
        connection.execute(reports.update().values(quarantined=True))
        connection.execute(outcomes.delete())
    again = [told(1, decision=one), told(1, False, decision=one), told(2, False, decision="dec_none")]
    results = app.tell(*again, key=stranger).json()["results"]
    assert [(each["status"], each["effect"]) for each in results] == [(200, "repeated"), *[(409, "refused")] * 2]
    assert reporting.settle(app.work) == 1
    assert app.counts() == {one: (True, "crm/e1/1")}


def test_an_event_about_one_entity_of_two_use_cases_is_two(app: Told) -> None:
    app.key = governing.make_key(app.work, SYSTEM, "both", (Grant(Role.APP, "small"), Grant(Role.APP, "elsewhere")))
    rows = [told(1, use_case="elsewhere", entity="a"), told(1, use_case="small", entity="a")]
    assert app.effects(*rows) == [(202, "quarantined"), (409, "refused")]


def disable(work: Workspace, name: str) -> None:
    (key,) = [each for each in governing.all_keys(work).values() if each.name == name]
    governing.disable_key(work, SYSTEM, key.id)


def test_too_many_rows_and_other_bodies_are_refused(app: Told) -> None:
    assert app.tell(*[told(1, decision="d")] * 1_001).status_code == 413

    async def body(content: bytes) -> int:
        async with asked(app.work, app.ready, app.key) as (client, _):
            return (await client.post(ADDRESS, content=content)).status_code

    for content in (b"", b"[]", b'{"outcomes": [], "outcomes": []}', b'{"outcomes": [' + b"[" * 40_000):
        assert asyncio.run(body(content)) == 422
