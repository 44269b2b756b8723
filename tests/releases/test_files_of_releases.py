"""What is live keeps the file that it was released with until another version is; a roll-back brings it back."""

from __future__ import annotations

import asyncio
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.decisions.test_service import FILE as SMALL
from tests.living import NAME, visitor
from tests.releases.distinguishable import version_saying

from pilotage.app import sync_and_join
from pilotage.data import flow as data
from pilotage.decisions import flow as deciding
from pilotage.decisions.answering.service import Service
from pilotage.decisions.jobs import flow as jobs
from pilotage.decisions.jobs import running
from pilotage.decisions.jobs.records import Asked
from pilotage.decisions.parity import rejoining
from pilotage.decisions.records import Decision
from pilotage.govern import flow as governing
from pilotage.govern.records import SYSTEM, Grant, Principal, Role
from pilotage.models.artefacts import MANIFEST_SUFFIX
from pilotage.platform.clock import FixedClock
from pilotage.platform.errors import Conflict, InvalidRequest
from pilotage.platform.workspace import Workspace
from pilotage.releases import commands, flow
from pilotage.releases.records import Stage, Version
from pilotage.usecase import flow as defining
from pilotage.usecase import store as files
from pilotage.usecase.records import Definition

APP = Principal("key_1", "app", "key", (Grant(Role.APP, NAME),))
FIRST = SMALL.replace("use_case: small", f"use_case: {NAME}").replace("latency_ms: 50", "latency_ms: 5000")
NARROW = b'{"thing": "t1", "size": 7, "at": "2013-12-05T19:00:00Z"}'
"""A question of the first file: its version says yes, as its rule does; the rule of the second file says no."""
WIDE = b'{"thing": "t1", "size": 7, "weight": 2.5, "at": "2013-12-05T19:00:00Z"}'
AMOUNT = """outcome: {source: things, number: size, unit: g, says: weighs}
inputs: {size: request, colour: request}
rule: {number: "size + 1", says: a gram more}
policy:
  threshold: 30
  actions: {above: Do it, below: Leave it}
  default: 5
"""


def with_weight(text: str = FIRST) -> str:
    """The file with a further column, and another rule."""
    text = text.replace("request: {size: number,", "request: {size: number, weight: number,")
    text = text.replace("inputs: {size: request,", "inputs: {size: request, weight: request,")
    return text.replace('positive: "size > 5", says: it is larger than five', 'positive: "size > 50", says: it is huge')


@pytest.fixture
def things(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "things.db"
    with sqlite3.connect(path) as database:
        for table in ("things", "newer_things", "notes"):
            database.execute(
                f"CREATE TABLE {table} (thing TEXT, size REAL, weight REAL, colour TEXT, at TEXT, PRIMARY KEY (thing))"
            )
            rows = [(f"t{n}", n, n / 2, "red", f"2013-12-0{1 + n % 4}T10:00:00") for n in range(40)]
            database.executemany(f"INSERT INTO {table} VALUES (?, ?, ?, ?, ?)", rows)
    monkeypatch.setenv("THINGS", f"sqlite:///{path}")
    return path


def adopt(work: Workspace, text: str) -> Definition:
    definition = defining.parse_definition(text, "small.yaml")
    data.adopt_and_sync(work, definition, SYSTEM, "")
    return definition


def release(work: Workspace, definition: Definition, number: int) -> Version:
    version = version_saying(work, definition, number)
    flow.release(work, definition, version, SYSTEM, f"number {number} is better")
    flow.set_stage(work, NAME, Stage.ASSIST, 1.0, SYSTEM, "go")
    return version


@pytest.fixture
def first(work: Workspace, things: Path) -> Version:
    """Version 1, live for everybody with the first file."""
    return release(work, adopt(work, FIRST), 1)


@pytest.fixture
def service(work: Workspace, first: Version) -> Service:
    running = Service(work)
    look(running)
    return running


def look(service: Service) -> None:
    """What a running service does again and again."""
    service.following.look_at_switches()
    service.following.look_at_sources()


def ask(service: Service, body: bytes) -> Decision:
    answer = asyncio.run(service.answer(NAME, body, APP))
    return deciding.find(service.work, answer.id)


def said(decision: Decision) -> tuple[object, ...]:
    return decision.produced_by, decision.version, decision.answer


def test_a_file_that_is_synced_changes_no_answer_until_a_version_for_it_is_released(
    work: Workspace, service: Service, first: Version
) -> None:
    second_file = adopt(work, with_weight())
    look(service)
    assert said(ask(service, NARROW)) == ("model", first.id, True)
    with pytest.raises(InvalidRequest, match="weight"):
        ask(service, WIDE)
    second = version_saying(work, second_file, 2)
    flow.release(work, second_file, second, SYSTEM, "knows the weight")
    service.following.look_at_releases()
    service.following.look_at_versions()
    assert service.following.servings[NAME].live.stage is Stage.SHADOW, "no further than the new one"
    assert ask(service, NARROW).version == first.id, "it is whole until the columns of the other are open"
    service.following.look_at_sources()
    flow.set_stage(work, NAME, Stage.ASSIST, 1.0, SYSTEM, "go")
    service.following.look_at_releases()
    assert said(ask(service, WIDE)) == ("model", second.id, False)
    with pytest.raises(InvalidRequest, match="weight"):
        ask(service, NARROW)


@pytest.mark.both_stores
def test_a_roll_back_brings_the_file_back_and_a_restart_keeps_it(
    work: Workspace, service: Service, first: Version
) -> None:
    second_file = adopt(work, with_weight())
    release(work, second_file, 2)
    look(service)
    ask(service, WIDE)
    back = flow.roll_back(work, NAME, SYSTEM, "misses snow")
    assert (back.version, back.definition) == (first.id, defining.parse_definition(FIRST, "").fingerprint)
    look(service)
    restarted = Service(work)
    look(restarted)
    for each in (service, restarted):
        decision = ask(each, NARROW)
        assert said(decision) == ("model", first.id, True)
        assert decision.rule_answer is True, "the rule is that of the first file"
    assert defining.find_adopted(work, NAME).fingerprint == second_file.fingerprint, (
        "what is trained next is the newest"
    )
    entry = next(iter(governing.entries(work, "version.rolled_back")))
    assert entry.detail["definition"] == [second_file.fingerprint, back.definition]
    assert deciding.find(work, deciding.decide(work, second_file, NARROW, SYSTEM).id).version == first.id


@pytest.mark.both_stores
def test_of_texts_with_the_same_columns_the_newest_counts(work: Workspace, service: Service, first: Version) -> None:
    adopt(work, FIRST.replace("default: negative", "default: positive"))
    adopt(work, with_weight())
    look(service)
    assert service.following.servings[NAME].definition.use_case.policy.default == "positive"
    assert said(ask(service, NARROW)) == ("model", first.id, True)


def test_an_outcome_of_another_kind_is_another_file(work: Workspace, service: Service, first: Version) -> None:
    head, _ = FIRST.split("outcome:")
    adopt(work, head.replace("caught: 10, false_alarm: -5", "too_low: -1, too_high: -1") + AMOUNT)
    look(service)
    assert said(ask(service, NARROW)) == ("model", first.id, True)
    with pytest.raises(Conflict, match="trained for another use-case file"):
        flow.release(work, defining.find_adopted(work, NAME), first, SYSTEM, "again")


def test_rows_that_are_read_elsewhere_since_are_not_taken_for_those_of_the_first_file(
    work: Workspace, service: Service, first: Version
) -> None:
    moved = with_weight().replace("table: things", "table: newer_things")
    second_file = adopt(work, moved)
    look(service)
    decision = ask(service, WIDE)
    assert (decision.produced_by, decision.reason, decision.answer) == ("rule", "definition_changed", False)
    release(work, second_file, 2)
    with pytest.raises(Conflict, match=r"earlier use-case file, and source things is no longer read.*pilotage disable"):
        flow.roll_back(work, NAME, SYSTEM, "misses snow")
    assert flow.live(work, NAME).version != first.id


def test_where_the_text_is_not_kept_the_roll_back_is_refused(work: Workspace, service: Service, first: Version) -> None:
    """As after an update of an installation that changed its file before texts were kept."""
    second_file = adopt(work, with_weight())
    release(work, second_file, 2)
    with work.database.writing() as connection:
        connection.execute(sa.delete(files.use_case_texts))
    with pytest.raises(Conflict, match="trained for another use-case file"):
        flow.roll_back(work, NAME, SYSTEM, "misses snow")


def test_a_release_that_cannot_be_loaded_leaves_version_and_file_as_they_are(
    work: Workspace, service: Service, first: Version
) -> None:
    second_file = adopt(work, with_weight())
    second = version_saying(work, second_file, 2)
    flow.release(work, second_file, second, SYSTEM, "knows the weight")
    work.lake.path(second.artefact, MANIFEST_SUFFIX).unlink()
    look(service)
    look(service)
    assert ask(service, NARROW).version == first.id
    flow.roll_back(work, NAME, SYSTEM, "cannot be loaded")
    flow.set_stage(work, NAME, Stage.ASSIST, 1.0, SYSTEM, "go")
    look(service)
    assert said(ask(service, NARROW)) == ("model", first.id, True)


def test_page_and_commands_say_that_the_newest_file_is_not_the_one_that_answers(
    work: Workspace,
    service: Service,
    first: Version,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PILOTAGE_HOME", str(work.settings.home))
    said = "Version 1 answers by the use-case file that it was released with"
    commands.versions(NAME)
    with visitor(work, Role.OWNER) as owner:
        assert said not in capsys.readouterr().out + owner.get(f"/use-cases/{NAME}/versions").text
        release(work, adopt(work, with_weight()), 2)
        commands.rollback(NAME, reason="misses snow")
        assert said in capsys.readouterr().out
        assert said in owner.get(f"/use-cases/{NAME}/versions").text
    commands.versions(NAME)
    assert said in capsys.readouterr().out


def test_schema_and_interface_are_of_the_file_that_answers(work: Workspace, first: Version) -> None:
    adopt(work, with_weight())
    key = governing.make_key(work, SYSTEM, "app", (Grant(Role.APP, NAME),))
    with visitor(work, Role.OWNER) as owner:
        heads = {"Authorization": f"Bearer {key}"}
        schema = owner.client.get(f"/v1/use-cases/{NAME}/schema", headers=heads).json()
        described = owner.client.get("/v1/openapi.json", headers=heads).text
        assert "size" in schema["properties"]
        assert "weight" not in schema["properties"]
        assert '"weight"' not in described


def test_a_job_answers_by_the_file_of_what_is_live(work: Workspace, first: Version, tmp_path: Path) -> None:
    second_file = adopt(work, with_weight())
    questions = tmp_path / "questions.jsonl"
    questions.write_bytes(b"\n".join([NARROW] * 3))
    job = jobs.begin(work, second_file, SYSTEM, Asked("jsonl"), questions)
    running.work_on(work, job, running.Pace(lambda: False, lambda _: None, pause_seconds=0.0))
    ended = jobs.find(work, NAME, job.id)
    assert (ended.state, ended.rows_done, ended.rows_refused) == ("done", 3, 0)
    assert {each.version for each in deciding.recent(work, NAME)} == {first.id}


def test_answers_are_joined_again_by_the_file_that_gave_them(
    work: Workspace, service: Service, first: Version, clock: FixedClock
) -> None:
    second_file = adopt(work, with_weight().replace("{size: request,", "{size_more: {derived: size + 1},"))
    look(service)
    clock.advance(timedelta(minutes=2))
    ask(service, NARROW)
    service.drain()
    clock.advance(timedelta(minutes=1))
    found = rejoining.rejoin(work, second_file)
    assert found is not None
    assert (found.decisions, found.columns, found.without_columns, found.differing) == (1, 2, 0, ())


def test_sources_that_only_the_first_file_names_are_read_as_long_as_it_answers(
    work: Workspace, things: Path, clock: FixedClock
) -> None:
    noted = FIRST.replace(
        "sources:\n",
        "sources:\n  notes: {database: env:THINGS, table: notes, key: [thing], event_time: at, known_at: at}\n",
    ).replace("inputs: {", "inputs: {note: {latest: notes, by: colour, take: weight, within: 30 days}, ")
    release(work, adopt(work, noted), 1)
    second_file = adopt(work, with_weight())
    with sqlite3.connect(things) as database:
        database.execute("INSERT INTO notes VALUES ('t77', 1, 2, 'blue', '2013-12-05T10:00:00')")
    before = data.snapshot(work, NAME, "notes").rows
    clock.advance(timedelta(days=1))
    sync_and_join(work)
    assert data.snapshot(work, NAME, "notes").rows == before + 1
    release(work, second_file, 2)
    with sqlite3.connect(things) as database:
        database.execute("INSERT INTO notes VALUES ('t78', 1, 2, 'blue', '2013-12-05T11:00:00')")
    clock.advance(timedelta(days=1))
    sync_and_join(work)
    assert data.snapshot(work, NAME, "notes").rows == before + 1, "nobody needs it any more"
