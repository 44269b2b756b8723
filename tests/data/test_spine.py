"""Decisions and reasons why other rows are none, against a second reading of the same rules, row by row."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import duckdb
import pyarrow as pa
import pytest

from pilotage.data.rules.spine import exclusions, exclusions_sql, spine_sql
from tests.data.shop import TEXT, shop

START = datetime(2013, 12, 1, tzinfo=UTC).replace(tzinfo=None)
KNOWN_TO = START.replace(tzinfo=UTC) + timedelta(hours=70)
"""Outcomes mature after a day: decisions of the first 46 hours have one."""

TWO_NAMES = TEXT.replace("key: [order_id]\n    event_time: placed_at", "key: [line]\n    event_time: placed_at", 1)
DEFINITION = shop(TWO_NAMES.replace("  moment: placed_at\n", "  moment: placed_at\n  where: amount < 5\n"))


SCHEMA = pa.schema(
    {
        "line": pa.string(),
        "order_id": pa.string(),
        "amount": pa.float64(),
        "placed_at": pa.timestamp("us"),
        "known_at": pa.timestamp("us"),
        "deleted": pa.bool_(),
    }
)


class Row(NamedTuple):
    line: str
    order_id: str | None
    amount: float | None
    placed_at: datetime | None
    known_at: datetime
    deleted: bool


def rows_of(chance: random.Random, deletions: bool) -> list[Row]:
    """Rows of a few keys and entities; each becomes known at an instant of its own."""
    known = [START + timedelta(minutes=minute) for minute in chance.sample(range(4000), 40)]
    return [
        Row(
            f"l{chance.randrange(12)}",
            chance.choice([None, *(f"o{n}" for n in range(9))]),
            chance.choice([None, *(float(n) for n in range(8))]),
            chance.choice([None, *(START + timedelta(hours=chance.randrange(75)) for _ in range(9))]),
            at,
            deletions and chance.random() < 0.2,
        )
        for at in known
    ]


def reasons(rows: list[Row], deletions: bool) -> tuple[Counter[str], dict[str, datetime]]:
    """Each row's reason in plain Python, and the moment of each entity that is decided."""
    found: Counter[str] = Counter()
    passed: list[Row] = []
    for row in rows:
        if row.deleted:
            found["deletion"] += 1
        elif row.order_id is None:
            found["without_entity"] += 1
        elif row.placed_at is None:
            found["without_moment"] += 1
        elif row.known_at > row.placed_at:
            found["known_later"] += 1
        else:
            passed.append(row)
    decided: dict[str, datetime] = {}
    if deletions:
        newest = {row.line: row for row in sorted(passed, key=lambda row: row.known_at)}
        found["replaced"] += len(passed) - len(newest)
        passed = [row for row in newest.values() if not _gone(rows, row)]
        found["deleted"] += len(newest) - len(passed)
    by_entity = {row.order_id: row for row in sorted(passed, key=lambda row: row.known_at)}
    found["replaced"] += len(passed) - len(by_entity)
    for entity, row in by_entity.items():
        assert entity is not None and row.placed_at is not None
        if row.amount is None or row.amount >= 5:
            found["where"] += 1
        elif row.placed_at > START + timedelta(hours=46):
            found["immature"] += 1
        else:
            decided[entity] = row.placed_at
    return found, decided


def _gone(rows: list[Row], row: Row) -> bool:
    """Whether a later row said, by the decision's moment, that the key is gone."""
    assert row.placed_at is not None
    return any(r.deleted and r.line == row.line and row.known_at < r.known_at <= row.placed_at for r in rows)


@pytest.mark.parametrize("deletions", [False, True])
def test_each_row_is_a_decision_or_has_the_first_reason_that_holds(deletions: bool) -> None:
    seen: Counter[str] = Counter()
    use_case = DEFINITION.use_case
    for seed in range(30):
        rows = rows_of(random.Random(seed), deletions)
        expected, decided = reasons(rows, deletions)
        orders = pa.Table.from_pylist([row._asdict() for row in rows], SCHEMA)
        with duckdb.connect(config={"threads": 1}) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            connection.register("given", orders)
            connection.execute(
                "CREATE TABLE orders AS SELECT * EXCLUDE (known_at, deleted), 'north' AS store, "
                "known_at AS _known_at, deleted AS _deleted FROM given"
            )
            connection.execute(spine_sql(use_case, KNOWN_TO, deletions))
            spine = dict(connection.execute("SELECT order_id, _moment FROM spine").fetchall())
            counts = connection.execute(exclusions_sql(use_case, KNOWN_TO, deletions)).fetchall()[0]
        rows_in, excluded = exclusions(counts, deletions)
        assert spine == decided
        assert {why: n for why, n in excluded.items() if n} == dict(+expected)
        assert rows_in == len(rows) == len(spine) + sum(excluded.values())
        seen += Counter(excluded)
    assert min(seen[why] for why in excluded if deletions or why not in {"deletion", "deleted"}) > 0
