"""One pass over sorted rows: right sums and extremes, or an error, never rows out of order taken as they come."""

from __future__ import annotations

import duckdb
import pytest

from pilotage.data.rules.timelines.running import following, greatest_yet, in_groups, is_last, running_sums, unpaired
from pilotage.platform.engine import analytical

CHANGES = "(VALUES ('b', 1, 5), ('a', 2, 7), ('a', 1, 1), ('a', 2, -1), ('a', 9, -7), ('b', 4, -5)) c(k, _from, n)"


def test_a_sum_begins_at_zero_with_each_key_and_every_instant_stands_once() -> None:
    with analytical(threads=1) as connection:
        found = connection.execute(running_sums(CHANGES, ["k"], ["n"])).fetchall()
    assert sorted(found) == [("a", 1, 1), ("a", 2, 7), ("a", 9, 0), ("b", 1, 5), ("b", 4, 0)]


def test_a_running_extreme_forgets_the_group_before() -> None:
    rows = "(VALUES ('a', 1, 900), ('a', 2, 3), ('b', 1, -8), ('b', 2, -9), ('c', 1, -2)) r(k, place, v)"
    statement = f"SELECT k, place, {unpaired(greatest_yet('v'))} FROM ({in_groups(rows, ['k'], ['place'], ['v'])})"
    with analytical(threads=1) as connection:
        found = sorted(connection.execute(statement).fetchall())
    assert found == [("a", 1, 900), ("a", 2, 900), ("b", 1, -8), ("b", 2, -8), ("c", 1, -2)]


@pytest.mark.parametrize(
    "statement",
    [
        running_sums(CHANGES, ["k"], ["n"]).replace("ORDER BY k, _from", ""),
        in_groups(CHANGES, ["k"], ["_from"], ["n"]).replace("ORDER BY k, _from", ""),
        f"SELECT {is_last(['k', '_from'])} FROM (SELECT *, {following(['k', '_from'])} FROM {CHANGES})",
    ],
)
def test_rows_that_are_not_in_order_end_the_statement(statement: str) -> None:
    with analytical(threads=1) as connection, pytest.raises(duckdb.Error, match="out of order"):
        connection.execute(statement).fetchall()
