"""What all rows before amount to, in one pass over sorted rows: n log n for the sort, in bounded memory.

A window with a partition and an order keeps whole partitions in memory and looks through a tree for every row. Here the
rows are sorted (which can spill to disk) and read once, from the first to the last, by windows without partition and
order: the engine evaluates those as the rows stream by. Every row is compared with its neighbour, and the statement
fails if ever they come out of order: the values are right or there are none.
"""

from __future__ import annotations

from collections.abc import Sequence

NOTHING = -(2**63)
"""Less than every number that :func:`greatest_yet` is asked of."""

_APART = 2**64
OUT_OF_ORDER = "error('Sorted rows came out of order: these columns cannot be made with this version of the engine.')"


def running_sums(changes: str, keys: Sequence[str], names: Sequence[str]) -> str:
    """Per key and instant of ``changes`` (``keys``, ``_from`` and ``names``) the sums up to then; no instant twice.

    What enters must leave again: then a key's sums end at zero, and one running sum serves all keys.
    """
    place = [*keys, "_from"]
    sums = ", ".join(f"sum({name}) OVER (ROWS UNBOUNDED PRECEDING) AS {name}" for name in names)
    return f"""SELECT {", ".join([*place, *names])} FROM (
  SELECT {", ".join(place)}, {sums}, {following(place)} FROM (
    SELECT {", ".join([*place, *names])} FROM {changes} ORDER BY {", ".join(place)}))
WHERE {is_last(place)}"""


def in_groups(rows: str, group: Sequence[str], order: Sequence[str], more: Sequence[str]) -> str:
    """``rows`` with ``group``, ``order`` and ``more``, in order, with the number of their ``_group``.

    What groups them, and what orders them first, must not be null.
    """
    place = [*group, *order]
    past = ", ".join(f"lag({name}) OVER () AS _past_{name}" for name in [*group, order[0]])
    new = "sum(CASE {} END) OVER (ROWS UNBOUNDED PRECEDING)".format(" ".join(_steps(group, order[0])))
    return f"""SELECT {", ".join([*place, *more])}, {new} AS _group FROM (
    SELECT *, {past} FROM (
      SELECT {", ".join([*place, *more])} FROM {rows} ORDER BY {", ".join(place)}))"""


def _steps(group: Sequence[str], order: str) -> list[str]:
    """One where a row begins a group, else zero."""
    steps, same = [f"WHEN _past_{group[0]} IS NULL THEN 1"], "true"
    for name in group:
        steps.append(f"WHEN {same} AND {name} > _past_{name} THEN 1")
        same += f" AND {name} = _past_{name}"
    return [*steps, f"WHEN {same} AND {order} >= _past_{order} THEN 0", f"ELSE {OUT_OF_ORDER}"]


def greatest_yet(number: str) -> str:
    """The greatest 64-bit integer ``number`` in a row's group up to this row, of :func:`in_groups`, as :func:`paired`.

    Groups are numbered upwards, so the greatest pair of group and number is always one of the newest group.
    """
    return f"max({paired(number)}) OVER (ROWS UNBOUNDED PRECEDING)"


def paired(number: str) -> str:
    """The group, then the number, as one integer of 128 bits."""
    return f"(_group * {_APART}::HUGEINT + {number})"


def unpaired(pair: str) -> str:
    """The number of a pair of this row's group; less than :data:`NOTHING` if it is an earlier group's."""
    return f"({pair} - _group * {_APART}::HUGEINT)"


def following(place: Sequence[str]) -> str:
    """The next row's ``place``, for :func:`is_last`."""
    return ", ".join(f"lead({name}) OVER () AS _next_{name}" for name in place)


def is_last(place: Sequence[str]) -> str:
    """Whether the next row of the order is at another ``place``, or there is none."""
    ahead, same = [f"WHEN _next_{place[0]} IS NULL THEN true"], "true"
    for name in place:
        ahead.append(f"WHEN {same} AND _next_{name} > {name} THEN true")
        same += f" AND _next_{name} = {name}"
    return f"CASE {' '.join(ahead)} WHEN {same} THEN false ELSE {OUT_OF_ORDER} END"
