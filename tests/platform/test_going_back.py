"""A schema that is taken back by one revision, as for an older program, and brought to the newest again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from tests.platform.test_database import migrating

from pilotage.platform.database import Database, metadata
from pilotage.platform.schema import upgrade
from pilotage.review import store
from pilotage.review.records import Feedback
from pilotage.usecase import store as use_cases

AT = datetime(2013, 12, 5, 20, 0, 0, 123456, tzinfo=UTC)


def _said(name: str, undone_at: datetime | None = None) -> Feedback:
    return Feedback(name, "dec_1", "late", "UA1", "override", "local “knowledge”", "maria", AT, undone_at)


def test_what_was_taken_back_does_not_count_in_an_older_program_and_is_there_again_later(database: Database) -> None:
    upgrade(database)
    stands, taken_back = _said("fbk_stands"), _said("fbk_back", AT + timedelta(seconds=9))
    with database.writing() as connection:
        store.insert_feedback(connection, stands)
        store.insert_feedback(connection, taken_back)

    with database.writing() as connection:
        command.downgrade(migrating(connection), "0007")
        assert list(connection.execute(sa.text("SELECT id FROM feedback")).scalars()) == ["fbk_stands"]
        # The older program goes on: what it hears stands.
        connection.execute(
            sa.text(
                "INSERT INTO feedback (id, decision, use_case, entity, kind, reason, person, at) "
                "SELECT 'fbk_later', decision, use_case, entity, 'useful', '', person, at FROM feedback"
            )
        )
    upgrade(database)

    with database.reading() as connection:
        found = {each.id: each for each in store.feedback_on(connection, "dec_1")}
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    assert found.pop("fbk_later").undone_at is None
    assert found == {"fbk_stands": stands, "fbk_back": taken_back}


def test_it_can_be_taken_back_and_brought_up_again_and_again(database: Database) -> None:
    upgrade(database)
    with database.writing() as connection:
        store.insert_feedback(connection, _said("fbk_back", AT))
    for _ in range(2):
        with database.writing() as connection:
            command.downgrade(migrating(connection), "0007")
        upgrade(database)
    with database.reading() as connection:
        assert [each.undone_at for each in store.feedback_on(connection, "dec_1")] == [AT]


def test_one_goes_back_to_the_first_schema_and_forward_with_what_was_said(database: Database) -> None:
    upgrade(database)
    with database.writing() as connection:
        store.insert_feedback(connection, _said("fbk_back", AT))
        store.insert_feedback(connection, _said("fbk_stands"))
        command.downgrade(migrating(connection), "0001")
    upgrade(database)
    with database.reading() as connection:
        assert sorted(each.id for each in store.feedback_on(connection, "dec_1")) == ["fbk_back", "fbk_stands"]
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_an_installation_that_is_brought_up_keeps_the_texts_that_its_use_cases_have(database: Database) -> None:
    upgrade(database)
    with database.writing() as connection:
        use_cases.put(connection, "late", "the first", "f1", "", AT, "mara")
        command.downgrade(migrating(connection), "0011")
    upgrade(database)
    with database.writing() as connection:
        use_cases.put(connection, "late", "the second", "f2", "", AT, "mara")
        assert list(use_cases.texts_of(connection, "late").items()) == [("f2", "the second"), ("f1", "the first")]
        use_cases.put(connection, "late", "the first", "f1", "", AT, "mara")
        assert list(use_cases.texts_of(connection, "late")) == ["f1", "f2"], "one that comes back is the newest"
