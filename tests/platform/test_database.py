"""One schema in SQLite and in PostgreSQL, and writes that wait for each other."""

from __future__ import annotations

import socket
import threading
import time
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy.exc import OperationalError

from pilotage.platform.database import Database, Instant, Json, insert_ignoring, metadata
from pilotage.platform.errors import InvalidRequest, SettingsError
from pilotage.platform.schema import MIGRATIONS, upgrade
from pilotage.review import opinions_store, store

scratch = sa.MetaData()
notes = sa.Table(
    "notes", scratch, sa.Column("id", sa.Integer, primary_key=True), sa.Column("at", Instant), sa.Column("body", Json)
)


EARLIER_DECISION = """
INSERT INTO decisions (id, use_case, entity, moment, decided_at, stage, arm, produced_by, reason, review, latency_us,
    model_failure, batch, content)
VALUES ('dec_1', 'late', 'e', :at, :at, 'shadow', 'rule', 'rule', 'shadow', false, 1, '', 'bat_1', :content)
"""


def migrating(connection: sa.Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", MIGRATIONS)
    config.attributes["connection"] = connection
    return config


def test_the_migrations_make_exactly_the_tables_that_the_rooms_declare(database: Database) -> None:
    upgrade(database)
    upgrade(database)  # the second time it has nothing to do
    with database.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_who_asked_is_read_from_the_bytes_of_earlier_decisions(database: Database) -> None:
    upgrade(database)
    with database.writing() as connection:
        config = migrating(connection)
        command.downgrade(config, "0001")
        connection.execute(sa.text(EARLIER_DECISION), {"at": "2013-12-05 00:00:00", "content": b'{"asked_by": "app"}'})
        command.upgrade(config, "head")
        assert connection.execute(sa.text("SELECT asked_by FROM decisions")).scalar() == "app"


def test_an_installation_with_cases_is_brought_to_the_newest_schema(database: Database) -> None:
    old = datetime(2026, 1, 1, tzinfo=UTC)
    with database.writing() as connection:
        command.upgrade(migrating(connection), "0003")
        tables = sa.MetaData()
        tables.reflect(connection, only=["review_cases", "review_events"])
        cases, events = tables.tables["review_cases"], tables.tables["review_events"]
        for name, state, by in (("waits", "open", ""), ("done", "approved", "anna")):
            row = {"id": name, "decision": f"dec_{name}", "use_case": "late", "entity": "UA1", "why": "uncertain"}
            row |= {"note": "", "state": state, "leased_to": "", "fence": 1, "verdict_by": by, "verdict_reason": ""}
            at = old.replace(tzinfo=None)
            row |= {
                "opened_at": at,
                "due_at": at,
                "verdict_at": at if by else None,
                "verdict_answer": "true" if by else None,
            }
            connection.execute(cases.insert().values(**row))
            event = {"case": name, "kind": "opened", "fence": 0, "person": "", "at": at, "detail": "uncertain"}
            connection.execute(events.insert().values(**event))

    upgrade(database)

    with database.reading() as connection:
        waits, done = store.find_case(connection, "waits"), store.find_case(connection, "done")
        (opinion,) = opinions_store.opinions_on(connection, "done")
        kept = [event.kind for event in store.events_of(connection, "waits")]
    assert waits is not None and waits.falls_back_at > datetime.now(UTC) + timedelta(days=6)
    assert done is not None and (done.verdict_by, done.verdict_answer, done.round) == ("anna", True, 2)
    assert (opinion.person, opinion.verdict, opinion.answer, opinion.at) == ("anna", "approved", True, old)
    assert kept == ["opened"]
    with pytest.raises(sa.exc.IntegrityError), database.writing() as connection:  # references are looked at again
        connection.execute(sa.insert(store.events).values(**{**event, "case": "nobody", "at": old}))


def test_instants_and_documents_come_back_as_they_went_in(database: Database) -> None:
    with database.writing() as connection:
        scratch.create_all(connection)
        at = datetime(2013, 12, 5, 12, 30, 0, 123456, tzinfo=timezone(timedelta(hours=-5)))
        connection.execute(notes.insert().values(id=1, at=at, body={"b": [1, None], "a": "é"}))
    with database.reading() as connection:
        row = connection.execute(notes.select()).one()
    assert row.at == at
    assert row.at.tzinfo is UTC
    assert row.body == {"a": "é", "b": [1, None]}


def test_an_instant_that_no_store_has_is_told_as_such(database: Database) -> None:
    west = timezone(timedelta(hours=-5))
    with pytest.raises(InvalidRequest, match="between the years 1 and 9999"), database.writing() as connection:
        scratch.create_all(connection)
        connection.execute(notes.insert().values(id=1, at=datetime(9999, 12, 31, 23, tzinfo=west), body={}))


def test_an_error_takes_back_all_of_a_write(database: Database) -> None:
    with database.writing() as connection:
        scratch.create_all(connection)
    with pytest.raises(RuntimeError), database.writing() as connection:
        connection.execute(notes.insert().values(id=1))
        raise RuntimeError
    with database.reading() as connection:
        assert connection.execute(notes.select()).all() == []


def test_a_row_whose_key_is_there_is_left_alone(database: Database) -> None:
    with database.writing() as connection:
        scratch.create_all(connection)
        inserts = [insert_ignoring(connection, notes).values(id=1, body=body) for body in ("first", "second")]
        assert [connection.execute(each).rowcount for each in inserts] == [1, 0]
    with database.reading() as connection:
        assert connection.execute(sa.select(notes.c.body)).scalars().all() == ["first"]


def test_writers_wait_for_each_other_instead_of_failing(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'control.db'}")
    with database.writing() as connection:
        scratch.create_all(connection)

    def add_one() -> None:
        with database.writing() as connection:
            count = connection.execute(sa.select(sa.func.count()).select_from(notes)).scalar_one()
            connection.execute(notes.insert().values(id=count + 1))

    threads = [threading.Thread(target=add_one) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.reading() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(notes)).scalar_one() == 20
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
    database.close()


def test_another_kind_of_database_is_refused_by_name() -> None:
    with pytest.raises(SettingsError, match="mysql"):
        Database("mysql://host/db")


def test_a_postgresql_that_takes_connections_and_says_nothing_is_given_up_in_seconds() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        database = Database(f"postgresql+psycopg://anna@127.0.0.1:{port}/pilotage?connect_timeout=2")
        began = time.monotonic()
        with pytest.raises(OperationalError), database.reading():
            pass
        assert time.monotonic() - began < 10
