"""What a worker sees of itself becomes an incident, and closes when it is seen to be gone."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta

import msgspec
import pytest
from tests.decisions.small import FILE, Model, serving
from tests.decisions.test_last_good_version import FILE as OF_VERSIONS
from tests.living import NAME, measured_as_trained, signed_version

from pilotage.decisions.answering import troubles
from pilotage.decisions.answering.scoring import Scoring
from pilotage.decisions.answering.service import Service
from pilotage.decisions.answering.troubles import Troubles
from pilotage.decisions.records import Trouble
from pilotage.govern.records import SYSTEM, Grant, Principal, Role
from pilotage.models import artefacts
from pilotage.monitor.incidents import flow, store
from pilotage.monitor.incidents.records import Incident
from pilotage.monitor.incidents.rules import CALM
from pilotage.monitor.incidents.watching import Watch
from pilotage.platform.breaker import Breaker
from pilotage.platform.clock import FixedClock
from pilotage.platform.workspace import Workspace
from pilotage.releases import flow as releasing
from pilotage.releases.records import Stage
from pilotage.usecase.flow import adopt, parse_definition

APP = Principal("key_1", "app", "key", (Grant(Role.APP, "small"),))
BODY = b'{"thing": "t1", "size": 7, "at": "2013-12-05T19:00:00Z"}'


@pytest.fixture
def service(work: Workspace) -> Iterator[Service]:
    running = Service(work)
    running.scoring = Scoring(breaker=lambda: Breaker(failures_max=3, pause_seconds=0.0))
    running.phase = "running"
    yield running
    running.close()


def look_again(watch: Watch) -> None:
    """As if the time to look had come."""
    watch._look_at = watch._tell_at = 0.0
    watch.look()


def only(work: Workspace) -> Incident:
    (incident,) = flow.listed(work)
    return incident


def test_an_open_circuit_is_an_incident_until_the_model_answers_again(
    work: Workspace, clock: FixedClock, service: Service
) -> None:
    definition = adopt(work, parse_definition(FILE, "small.yaml"), SYSTEM)
    works: list[bool] = []

    def score() -> float:
        if not works:
            raise ValueError("t1 is secret")
        return 0.9

    service.following.servings = {"small": serving(definition, Model(score))}
    watch = Watch(work, Troubles(service))

    async def ask(times: int) -> None:
        for _ in range(times):
            await service.answer("small", BODY, APP)

    asyncio.run(ask(2))
    watch.look()
    assert flow.listed(work) == []
    asyncio.run(ask(1))
    for _ in range(3):
        look_again(watch)
    incident = only(work)
    assert (incident.kind, incident.use_case, incident.version, incident.times_seen) == (
        "circuit_open",
        "small",
        "ver_1",
        1,
    )
    assert "secret" not in incident.why and "t1" not in incident.why
    clock.advance(2 * CALM)
    look_again(watch)
    assert only(work).is_open, "nothing shows that it is over"
    works.append(True)
    asyncio.run(ask(1))
    look_again(watch)
    assert not only(work).is_open
    assert flow.find(work, incident.id).steps[-1].text.endswith("the model answered again.")


def test_a_worker_that_was_never_asked_closes_nothing(work: Workspace, clock: FixedClock, service: Service) -> None:
    definition = adopt(work, parse_definition(FILE, "small.yaml"), SYSTEM)
    service.following.servings = {"small": serving(definition, Model(lambda: 0.9))}
    flow.see(work, "circuit_open", "seen by another worker", "small", "ver_1")
    flow.see(work, "circuit_open", "seen by another worker", "small", "ver_0")
    flow.see(work, "spool_refuses", "another machine", place="elsewhere")
    flow.see(work, "crash_loop", "for people only")
    clock.advance(2 * CALM)
    look_again(Watch(work, Troubles(service)))
    closed = {each.version for each in flow.listed(work) if not each.is_open}
    assert closed == {"ver_0"}, "only the version that is live no more is surely gone"


def test_a_spool_that_refuses_and_decisions_that_are_missing(
    work: Workspace, clock: FixedClock, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pilotage.decisions.durable import tallies
    from pilotage.decisions.durable.segments import name_of

    here = name_of(service.spool_folder)
    with work.database.writing() as connection:
        tallies.add(connection, tallies.Stream("a-writer", here, 12, 10, 0), clock.now())
    service._bookkeeper.check()
    service._recording.spool._bytes_max = 0
    monkeypatch.setattr(troubles, "STUCK_SECONDS", -1.0)
    watch = Watch(work, Troubles(service))
    watch.look()
    found = {each.kind: each for each in flow.listed(work)}
    assert {*found} == {"spool_refuses", "decisions_missing", "drain_stuck"}
    assert {each.place for each in found.values()} == {here}
    assert "2 decisions" in found["decisions_missing"].why and "the spool is full" in found["spool_refuses"].why
    service._recording.spool._bytes_max = 1_000_000
    monkeypatch.setattr(troubles, "STUCK_SECONDS", 60.0)
    clock.advance(2 * CALM)
    watch.look()  # no longer there; the missing ones are still
    look_again(watch)
    assert {each.kind for each in flow.listed(work, only_open=True)} == {"decisions_missing"}


def test_a_version_whose_files_were_changed_is_one_until_another_is_live(
    work: Workspace, clock: FixedClock, service: Service
) -> None:
    definition = adopt(work, parse_definition(OF_VERSIONS, "small.yaml"), SYSTEM)
    versions = []
    for number in (1, 2):
        version = signed_version(work, definition, number)
        measured_as_trained(work, definition, version)
        releasing.release(work, definition, version, SYSTEM, "good")
        versions.append(version)
        if number == 1:
            releasing.set_stage(work, NAME, Stage.ASSIST, 1.0, SYSTEM, "go")
    manifest, _ = artefacts.load(work, versions[1].artefact, versions[1].signature)
    (path,) = work.lake.root.rglob(f"*{versions[1].artefact}*")
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-1] + b" ")
    service.following.look_at_sources()
    definition_now = service.following.servings
    if NAME not in definition_now:  # its columns need a source that is not here: take them as given
        from pilotage.data.live import LiveColumns
        from pilotage.decisions.answering.serving import open_serving

        columns = LiveColumns(definition, [], {}, None)
        service.following.servings = {NAME: open_serving(work, definition, columns, may_load=False)}
    service.following.look_at_versions()
    watch = Watch(work, Troubles(service))
    watch.look()
    incident = only(work)
    assert (incident.kind, incident.version) == ("artefact_refused", versions[1].id)
    releasing.release(work, definition, versions[0], SYSTEM, "back")
    service.following.look_at_switches()
    clock.advance(2 * CALM)
    look_again(watch)
    assert not only(work).is_open
    assert manifest.use_case == NAME


def test_what_was_seen_while_the_database_was_away_is_told_when_it_is_back(work: Workspace, service: Service) -> None:
    from sqlalchemy.exc import SQLAlchemyError

    service._recording.spool._bytes_max = 0
    watch = Watch(work, Troubles(service))
    with work.database.writing() as connection:
        connection.exec_driver_sql("ALTER TABLE incidents RENAME TO gone")
    with pytest.raises(SQLAlchemyError):
        watch.look()
    service._recording.spool._bytes_max = 1_000_000
    with work.database.writing() as connection:
        connection.exec_driver_sql("ALTER TABLE gone RENAME TO incidents")
    look_again(watch)
    assert only(work).kind == "spool_refuses"
    assert only(work).last_seen_at - only(work).opened_at == timedelta(0)


def test_of_more_open_incidents_than_are_shown_the_oldest_is_closed_too(work: Workspace, clock: FixedClock) -> None:
    """A hundred more are open, all newer."""
    oldest = flow.see(work, "circuit_open", "It failed.", "small", "ver_oldest")
    with work.database.writing() as connection:
        for number in range(flow.SHOWN_MAX):
            clock.advance(timedelta(seconds=1))
            newer = msgspec.structs.replace(oldest, id=f"inc_{number}", version=f"ver_{number}", opened_at=clock.now())
            assert store.insert(connection, newer)
    clock.advance(CALM + timedelta(seconds=1))

    class OnlyTheOldest:
        def present(self) -> list[Trouble]:
            return []

        def gone(self, kind: str, use_case: str, version: str, place: str) -> str:
            return "It answers again." if version == "ver_oldest" else ""

    look_again(Watch(work, OnlyTheOldest()))
    assert not flow.find(work, oldest.id).incident.is_open
    assert len(flow.listed(work, only_open=True, limit=None)) == flow.SHOWN_MAX
