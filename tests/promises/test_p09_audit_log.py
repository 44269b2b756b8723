"""Promise 9: any change to anchored records is found offline, and clean data always verifies."""

from __future__ import annotations

import random

import pytest
import sqlalchemy as sa

from pilotage.govern import flow
from pilotage.govern.records import SYSTEM
from pilotage.govern.rules.merkle import leaf_hash
from pilotage.govern.store.audit_log import entries
from pilotage.platform.workspace import Workspace
from tests.promises.table import Promise

FEW, MANY = 60, 1_000
DEEDS = 40
SEED = 9

pytestmark = pytest.mark.both_stores


@pytest.mark.parametrize("n", [FEW, pytest.param(MANY, marks=pytest.mark.long)])
def test_a_flipped_byte_of_an_anchored_record_is_found(work: Workspace, promise: Promise, store: str, n: int) -> None:
    chance = random.Random(SEED)
    for number in range(DEEDS):
        with work.database.writing() as connection:
            flow.record(connection, work, SYSTEM, "change-stage", "late_arrival", {"share": number / DEEDS, "ä": "é"})
        if number % 7 == 6 or number == DEEDS - 1:
            flow.checkpoint(work)
    assert flow.verify(work).valid
    missed = wrongly = 0
    for trial in range(n):
        number = chance.randint(1, DEEDS)
        own = entries.c.number == number
        with work.database.writing() as connection:
            row = connection.execute(sa.select(entries.c.content, entries.c.leaf_hash).where(own)).one()
            content = bytearray(row.content)
            content[chance.randrange(len(content))] ^= chance.randint(1, 255)
            hashed = leaf_hash(bytes(content)) if trial % 2 else row.leaf_hash  # every second forger knows the format
            connection.execute(entries.update().where(own).values(content=bytes(content), leaf_hash=hashed))
        missed += flow.verify(work).valid
        with work.database.writing() as connection:
            connection.execute(entries.update().where(own).values(content=row.content, leaf_hash=row.leaf_hash))
        wrongly += not flow.verify(work).valid
    figure = f"{missed} changes missed, clean data refused {wrongly} times"
    promise(9, what=store, figure=figure, n=n, passed=missed == 0 and wrongly == 0)
