"""The audit log: what was written verifies; what was changed afterwards is found."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa

from pilotage.govern import flow
from pilotage.govern.flow.audit_log import anchors
from pilotage.govern.records import SYSTEM
from pilotage.govern.rules.merkle import leaf_hash
from pilotage.govern.store.audit_log import checkpoints, entries
from pilotage.platform.clock import FixedClock
from pilotage.platform.errors import CorruptArtefact
from pilotage.platform.workspace import Workspace

pytestmark = pytest.mark.both_stores


def deed(work: Workspace, number: int) -> None:
    with work.database.writing() as connection:
        flow.record(connection, work, SYSTEM, "change-stage", "late_arrival", {"share": number / 10, "ä": "é"})


@pytest.fixture
def ten(work: Workspace) -> Workspace:
    """Ten entries; checkpoints at 4 and 9."""
    for number in range(1, 11):
        deed(work, number)
        if number in {4, 9}:
            flow.checkpoint(work)
    return work


def change(work: Workspace, statement: sa.Executable) -> None:
    with work.database.writing() as connection:
        connection.execute(statement)


def test_clean_data_verifies(ten: Workspace) -> None:
    found = flow.verify(ten)
    assert (found.valid, found.entries, found.checkpoints) == (True, 10, 2)
    assert found.message.endswith("2 signed checkpoints; the newest 1 are not yet under a checkpoint.")


def test_an_empty_log_verifies_and_gets_no_checkpoint(work: Workspace) -> None:
    assert flow.checkpoint(work) is None
    assert flow.verify(work).message == "The audit log is empty."


def test_a_deed_and_the_change_it_tells_of_are_stored_together_or_not_at_all(work: Workspace) -> None:
    with pytest.raises(RuntimeError), work.database.writing() as connection:
        flow.record(connection, work, SYSTEM, "disable", "late_arrival", {})
        raise RuntimeError
    assert flow.verify(work).entries == 0


def test_several_deeds_of_one_transaction_are_numbered_in_turn(work: Workspace) -> None:
    with work.database.writing() as connection:
        made = [flow.record(connection, work, SYSTEM, "note", "x", {"n": n}) for n in range(3)]
    assert [entry.number for entry in made] == [1, 2, 3]
    assert made[0].actor == "Pilotage"
    assert made[0].at == work.clock.now()


def test_a_checkpoint_without_news_is_the_last_one(ten: Workspace) -> None:
    first = flow.checkpoint(ten)
    assert flow.checkpoint(ten) == first
    assert len(anchors(ten).read_text().splitlines()) == 3


def _every_byte_of(work: Workspace, number: int) -> Iterator[bytes]:
    with work.database.reading() as connection:
        content = connection.execute(sa.select(entries.c.content).where(entries.c.number == number)).scalar_one()
    for at in range(len(content)):
        yield content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


def test_any_changed_byte_is_found_and_its_entry_named(ten: Workspace) -> None:
    tried = 0
    with ten.database.reading() as connection:
        whole = connection.execute(sa.select(entries.c.content).where(entries.c.number == 3)).scalar_one()
    for changed in _every_byte_of(ten, 3):
        change(ten, entries.update().where(entries.c.number == 3).values(content=changed))
        found = flow.verify(ten)
        assert not found.valid
        assert found.message.startswith("Entry 3 was changed")
        tried += 1
    assert tried == len(whole)
    change(ten, entries.update().where(entries.c.number == 3).values(content=whole))
    assert flow.verify(ten).valid


def test_an_entry_changed_together_with_its_hash_is_found_by_the_checkpoint(ten: Workspace) -> None:
    with ten.database.reading() as connection:
        genuine = connection.execute(sa.select(entries.c.content).where(entries.c.number == 7)).scalar_one()
    forged = genuine.replace(b"0.7", b"0.1")
    change(ten, entries.update().where(entries.c.number == 7).values(content=forged, leaf_hash=leaf_hash(forged)))
    found = flow.verify(ten)
    assert not found.valid
    assert found.message.startswith("An entry from 5 to 9 was changed")


TAMPERINGS: dict[str, tuple[Callable[[Workspace], None], str]] = {
    "an entry is removed": (
        lambda work: change(work, entries.delete().where(entries.c.number == 5)),
        "Entry 5 is missing: after entry 4 comes entry 6.",
    ),
    "the end is cut off": (
        lambda work: change(work, entries.delete().where(entries.c.number > 6)),
        "Entry 7 is missing: a checkpoint was signed over 9 entries.",
    ),
    "everything is removed": (
        lambda work: change(work, entries.delete()),
        "Entry 1 is missing: a checkpoint was signed over 9 entries.",
    ),
    "two entries change places": (
        lambda work: swap(work, 2, 3),
        "Entry 2 was changed: its bytes are those of entry 3.",
    ),
    "a removed entry's place is closed": (
        lambda work: close_gap(work, 5),
        "Entry 5 was changed: its bytes are those of entry 6.",
    ),
    "a checkpoint's root is changed": (
        lambda work: change(work, checkpoints.update().where(checkpoints.c.size == 4).values(root=b"\0" * 32)),
        "The checkpoint at 4 entries was changed: its signature is not ours.",
    ),
    "a line of the anchor file is changed": (
        lambda work: rewrite_anchors(work, lambda text: text.replace("4 ", "5 ", 1)),
        "Line 1 of the anchor file, the checkpoint at 5 entries was changed: its signature is not ours.",
    ),
    "the anchor file is garbled": (
        lambda work: rewrite_anchors(work, lambda text: "what?\n" + text),
        "Line 1 of the anchor file was changed: it is no checkpoint.",
    ),
}


def swap(work: Workspace, one: int, other: int) -> None:
    for now, then in ((one, -1), (other, one), (-1, other)):
        change(work, entries.update().where(entries.c.number == now).values(number=then))


def close_gap(work: Workspace, removed: int) -> None:
    change(work, entries.delete().where(entries.c.number == removed))
    for number in range(removed + 1, 11):
        change(work, entries.update().where(entries.c.number == number).values(number=number - 1))


def rewrite_anchors(work: Workspace, rewrite: Callable[[str], str]) -> None:
    anchors(work).write_text(rewrite(anchors(work).read_text()))


@pytest.mark.parametrize("what", TAMPERINGS)
def test_it_is_found_when(what: str, ten: Workspace) -> None:
    tamper, sentence = TAMPERINGS[what]
    tamper(ten)
    found = flow.verify(ten)
    assert not found.valid
    assert found.message == sentence


def test_the_anchor_file_holds_the_log_to_its_past_when_the_checkpoints_were_removed_too(ten: Workspace) -> None:
    change(ten, checkpoints.delete())
    change(ten, entries.delete().where(entries.c.number > 6))
    assert flow.verify(ten).message == "Entry 7 is missing: a checkpoint was signed over 9 entries."


def test_no_checkpoint_is_built_on_one_that_was_changed(ten: Workspace) -> None:
    change(ten, checkpoints.update().where(checkpoints.c.size == 9).values(range=b"\0" * 64))
    with pytest.raises(CorruptArtefact, match="at 9 entries was changed"):
        flow.checkpoint(ten)


def write_at_once(work: Workspace, writers: int, each: int) -> None:
    threads = [threading.Thread(target=lambda: [deed(work, number) for number in range(each)]) for _ in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_writers_at_the_same_time_leave_no_gap_and_changes_are_found(work: Workspace, clock: FixedClock) -> None:
    write_at_once(work, writers=4, each=10)
    flow.checkpoint(work)
    clock.advance(timedelta(seconds=60))
    deed(work, 41)
    found = flow.verify(work)
    assert (found.valid, found.entries, found.checkpoints) == (True, 41, 1)
    change(work, entries.update().where(entries.c.number == 12).values(content=b"{}"))
    assert flow.verify(work).message.startswith("Entry 12 was changed")
    name, password = flow.first_start(work) or ("", "")
    assert flow.principal_of_session(work, flow.log_in(work, name, password)) is not None
