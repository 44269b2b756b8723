"""Promise 9: any change to anchored records is found offline, and clean data always verifies."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import cycle, islice
from typing import Any

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
Row = dict[str, Any]
Forger = Callable[[list[Row], random.Random], list[Row]]

pytestmark = pytest.mark.both_stores


def flipped(rows: list[Row], chance: random.Random) -> list[Row]:
    """One bit or more of one byte."""
    at = chance.randrange(DEEDS)
    content = bytearray(rows[at]["content"])
    content[chance.randrange(len(content))] ^= chance.randint(1, 255)
    return [*rows[:at], {**rows[at], "content": bytes(content)}, *rows[at + 1 :]]


def removed(rows: list[Row], chance: random.Random) -> list[Row]:
    """One entry; those after it move up, so that no number is missing."""
    at = chance.randrange(DEEDS)
    return _numbered([*rows[:at], *rows[at + 1 :]])


def cut(rows: list[Row], chance: random.Random) -> list[Row]:
    """So many of the newest."""
    return rows[: chance.randrange(DEEDS)]


def swapped(rows: list[Row], chance: random.Random) -> list[Row]:
    """Two entries stand in each other's place."""
    one, other = sorted(chance.sample(range(DEEDS), 2))
    between = rows[one + 1 : other]
    return _numbered([*rows[:one], rows[other], *between, rows[one], *rows[other + 1 :]])


FORGERS: tuple[Forger, ...] = (flipped, removed, cut, swapped)


def _numbered(rows: Sequence[Row]) -> list[Row]:
    return [{**row, "number": number} for number, row in enumerate(rows, start=1)]


def _with_their_hashes(rows: Sequence[Row]) -> list[Row]:
    """As somebody leaves them who knows the format."""
    return [{**row, "leaf_hash": leaf_hash(bytes(row["content"]))} for row in rows]


def _put(work: Workspace, rows: Sequence[Row]) -> None:
    with work.database.writing() as connection:
        connection.execute(entries.delete())
        if rows:
            connection.execute(entries.insert(), list(rows))


@pytest.mark.parametrize("n", [FEW, pytest.param(MANY, marks=pytest.mark.long)])
def test_whatever_is_done_to_anchored_records_is_found(work: Workspace, promise: Promise, store: str, n: int) -> None:
    chance = random.Random(SEED)
    for number in range(DEEDS):
        with work.database.writing() as connection:
            flow.record(connection, work, SYSTEM, "change-stage", "late_arrival", {"share": number / DEEDS, "ä": "é"})
        if number % 7 == 6 or number == DEEDS - 1:
            flow.checkpoint(work)
    assert flow.verify(work).valid
    with work.database.reading() as connection:
        clean: list[Row] = [dict(row) for row in connection.execute(sa.select(entries)).mappings()]
    clean.sort(key=lambda row: int(row["number"]))
    missed, done = Counter[str](), Counter[str]()
    wrongly = 0
    for trial, forger in enumerate(islice(cycle(FORGERS), n)):
        forged = forger(clean, chance)
        is_versed = trial // len(FORGERS) % 2  # every second forger knows the format
        _put(work, _with_their_hashes(forged) if is_versed else forged)
        done[forger.__name__] += 1
        missed[forger.__name__] += flow.verify(work).valid
        _put(work, clean)
        wrongly += not flow.verify(work).valid
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in done.items())
    figure = f"{missed.total()} missed of {kinds}; clean data refused {wrongly} times"
    promise(9, what=store, figure=figure, n=n, passed=missed.total() == 0 and wrongly == 0)
