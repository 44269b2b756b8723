"""An installation with a history moves from SQLite to PostgreSQL, and goes on there."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest
import sqlalchemy as sa

from pilotage.decisions import flow as deciding
from pilotage.decisions import store as ledger
from pilotage.decisions.durable import draining
from pilotage.govern import flow as governing
from pilotage.govern.records import SYSTEM
from pilotage.migrations import moving
from pilotage.migrations.moving import move
from pilotage.platform.database import Database
from pilotage.platform.errors import Conflict, PilotageError, SettingsError
from pilotage.platform.schema import upgrade
from pilotage.platform.settings import Settings
from pilotage.platform.workspace import Workspace, open_workspace
from pilotage.releases import flow as releasing
from pilotage.review import flow as reviewing
from tests.living import happened, release
from tests.postgres import NoPostgres, scratch_cluster
from tests.review.arranging import NAME, a_decision, adopt, go_live, reviewer

pytestmark = pytest.mark.postgres
DECISIONS = 30


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    try:
        with scratch_cluster() as url:
            yield url
    except NoPostgres as reason:
        pytest.skip(str(reason))


@pytest.fixture
def target(cluster: str) -> Iterator[str]:
    """The address of an empty database."""
    server = sa.create_engine(cluster, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(sa.text("CREATE DATABASE moved"))
    yield sa.make_url(cluster).set(database="moved").render_as_string(hide_password=False)
    with server.connect() as connection:
        connection.execute(sa.text("DROP DATABASE moved WITH (FORCE)"))
    server.dispose()


@pytest.fixture
def lived(work: Workspace) -> Workspace:
    """A use case with two releases, decisions, feedback, a review, an outcome, people, keys and a checkpoint."""
    definition = adopt(work)
    adopt(work)
    for number in (1, 2):
        release(work, definition, number)
    go_live(work)
    made = [a_decision(work.clock.now(), entity=f"flight-{number} ü'\"") for number in range(DECISIONS)]
    draining.keep(work, [ledger.encode(each) for each in made])
    anna = reviewer("anna")
    reviewing.give_feedback(work, made[0], "override", "Exception agreed", anna, work.clock.now())
    case = reviewing.open_case(work, made[1], "uncertain", "")
    reviewing.lease(work, case.id, anna)
    happened(work, made[2].id, True, work.clock.now())
    governing.add_person(work, SYSTEM, "mara", ())
    governing.make_key(work, SYSTEM, "app", ())
    governing.checkpoint(work)
    return work


def run(work: Workspace, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    plain = {name: text for name, text in os.environ.items() if not name.startswith("PILOTAGE_")}
    environment = {**plain, "PYTHONPATH": os.pathsep.join(sys.path), "PILOTAGE_HOME": str(work.home), **settings}
    command = [sys.executable, "-m", "pilotage", *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def tables(database: Database) -> dict[str, int]:
    with database.reading() as connection:
        names = sa.inspect(connection).get_table_names()
        return {name: connection.exec_driver_sql(f'SELECT count(*) FROM "{name}"').scalar_one() for name in names}


def test_all_of_it_moves_and_the_audit_log_verifies_there(lived: Workspace, target: str) -> None:
    before = tables(lived.database)
    lived.close()
    said = run(lived, "database", "move", "--to", "env:NEW", NEW=target)
    assert said.returncode == 0, said.stderr
    assert "compared row by row" in said.stdout
    moved = open_workspace(Settings(home=lived.home, database_url=target), lived.clock)
    try:
        assert tables(moved.database) == before
        assert all(before[name] for name in ("decisions", "versions", "feedback", "review_events", "outcomes"))
        found = deciding.verify_recorded(moved)
        assert (found.valid, found.checkpoints) == (True, 1)
        assert releasing.live(moved, NAME) == releasing.live(lived, NAME)
        assert {each.entity for each in deciding.find_all(moved, ids_of(moved)).values()} == {
            f"flight-{number} ü'\"" for number in range(DECISIONS)
        }
        assert run(lived, "verify", PILOTAGE_DATABASE_URL=target).returncode == 0
    finally:
        moved.close()


def ids_of(work: Workspace) -> list[str]:
    with work.database.reading() as connection:
        return list(connection.exec_driver_sql("SELECT id FROM decisions").scalars())


def test_life_goes_on_there_with_numbers_that_follow(lived: Workspace, target: str) -> None:
    there = Database(target)
    move(lived.database, there)
    there.close()
    moved = open_workspace(Settings(home=lived.home, database_url=target), lived.clock)
    try:
        adopt(moved)  # its number comes from a counter of the database
        draining.keep(moved, [ledger.encode(a_decision(lived.clock.now(), entity="afterwards"))])
        releasing.disable(moved, NAME, SYSTEM, "tried")
        assert deciding.verify_recorded(moved).valid
    finally:
        moved.close()


def test_a_target_that_holds_something_is_refused_and_left_alone(lived: Workspace, target: str) -> None:
    there = Database(target)
    with there.writing() as connection:
        connection.execute(sa.text("CREATE TABLE theirs (x int)"))
        connection.execute(sa.text("INSERT INTO theirs VALUES (1)"))
    with pytest.raises(Conflict, match="not empty: theirs"):
        move(lived.database, there)
    assert tables(there) == {"theirs": 1}
    there.close()


def test_it_does_not_begin_while_somebody_else_uses_the_old_one(lived: Workspace, target: str) -> None:
    other, there = Database(lived.settings.database), Database(target)
    with other.reading() as connection:
        connection.exec_driver_sql("SELECT 1")
        with pytest.raises(Conflict, match="in use by another process"):
            move(lived.database, there)
    other.close()
    assert not any(count for name, count in tables(there).items() if name != "alembic_version")
    assert move(lived.database, there).rows["decisions"] == DECISIONS
    there.close()


def test_a_row_that_does_not_arrive_as_it_was_keeps_all_from_arriving(lived: Workspace, target: str) -> None:
    there = Database(target)
    move(lived.database, there)
    with there.writing() as connection:
        for name in reversed(sa.inspect(connection).get_table_names()):
            if name != "alembic_version":
                connection.exec_driver_sql(f'TRUNCATE TABLE "{name}" CASCADE')
        connection.exec_driver_sql(
            "CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN NEW.entity := 'another'; RETURN NEW; END $$"
        )
        connection.exec_driver_sql(
            "CREATE TRIGGER spoil BEFORE INSERT ON decisions FOR EACH ROW EXECUTE FUNCTION spoil()"
        )
    with pytest.raises(PilotageError, match="Table decisions was not copied as it is: 30 rows there, 30 here"):
        move(lived.database, there)
    assert tables(there)["decisions"] == 0
    there.close()


def test_it_can_go_back_to_sqlite(lived: Workspace, target: str) -> None:
    there, back = Database(target), Database(f"sqlite:///{lived.home / 'back.db'}")
    moved = move(lived.database, there)
    assert move(there, back) == moved
    assert tables(back) == tables(lived.database)
    for each in (there, back):
        each.close()


def test_an_address_that_does_not_answer_or_is_the_present_one_is_refused(lived: Workspace) -> None:
    with pytest.raises(SettingsError, match="cannot be used"):
        move(lived.database, Database("postgresql+psycopg://nobody@127.0.0.1:1/none"))
    with pytest.raises(SettingsError, match="in use now"):
        move(lived.database, Database(lived.settings.database))
    said = run(lived, "database", "move", "--to", "env:MISSING")
    assert said.returncode == 2
    assert "MISSING, which is not set" in said.stderr
    assert msgspec.json.decode(run(lived, "verify", "--json").stdout)["valid"] is True


def test_nobody_can_write_to_postgresql_while_it_is_moved(target: str) -> None:
    """A connection that comes after the look reads, and changes nothing; one that was there before is in the way."""
    source, other = Database(target), Database(target)
    upgrade(source)
    change = sa.text("UPDATE alembic_version SET version_num = version_num")
    with moving._alone(source) as held:
        held.execute(sa.text("SELECT count(*) FROM alembic_version"))
        with pytest.raises(sa.exc.OperationalError, match="lock timeout"), other.writing() as connection:
            connection.execute(sa.text("SET LOCAL lock_timeout = '100ms'"))
            connection.execute(change)
    source.close()
    with pytest.raises(Conflict, match="in use by another process"), moving._alone(source):
        pass
    with other.writing() as connection:
        connection.execute(change)
        with pytest.raises(Conflict, match="in use by another process"), moving._alone(source):
            pass
    other.close()
    source.close()


def test_what_is_leaving_postgresql_is_waited_for(target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A closed connection is counted until its process has ended, and autovacuum locks tables until it gives way."""
    source, leaving = Database(target), Database(target)
    upgrade(source)
    source.close()
    with leaving.reading() as connection:
        connection.execute(sa.text("SELECT 1"))

    def left(_: float) -> None:
        leaving.close()

    monkeypatch.setattr("pilotage.migrations.moving.time.sleep", left)
    with moving._alone(source) as held:
        assert held.execute(sa.text("SELECT count(*) FROM decisions")).scalar_one() == 0
    source.close()


def test_a_lock_of_who_is_leaving_is_waited_for(target: str) -> None:
    source, vacuum, watcher = Database(target), sa.create_engine(target), Database(target)
    upgrade(source)
    source.close()
    waits = sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    with vacuum.connect() as busy, ThreadPoolExecutor(1) as threads:
        busy.execute(sa.text("LOCK TABLE decisions IN SHARE UPDATE EXCLUSIVE MODE"))
        moved = threads.submit(_alone_once, source)
        with watcher.reading() as connection:
            while not connection.execute(waits).scalar_one():
                assert not moved.done()
        watcher.close()
        busy.invalidate()  # its connection is closed
        assert moved.result(timeout=30)
    vacuum.dispose()
    source.close()


def _alone_once(source: Database) -> bool:
    with moving._alone(source):
        return True


def test_into_a_database_of_another_role_it_says_who_must_own_it(lived: Workspace, target: str) -> None:
    server = sa.create_engine(target, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        for order in ("CREATE ROLE stranger LOGIN", "REVOKE CREATE ON SCHEMA public FROM PUBLIC"):
            connection.execute(sa.text(order))
    server.dispose()
    theirs = Database(sa.make_url(target).set(username="stranger").render_as_string(hide_password=False))
    with pytest.raises(SettingsError, match=r"stranger may not make .* createdb --owner stranger moved"):
        move(lived.database, theirs)
    theirs.close()
