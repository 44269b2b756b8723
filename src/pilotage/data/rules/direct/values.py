"""What each column makes of the rows that are visible: SQL over the stages of :mod:`.stages`."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from pilotage.data.rules.direct.groups import Group
from pilotage.data.rules.direct.rows import Rows
from pilotage.data.rules.direct.spelling import Spelling
from pilotage.platform.quoting import quoted
from pilotage.usecase.records import ColumnKind, Latest, Window

_SMALL = "1e-100"
"""Deviations smaller than this part of the largest add nothing to the sum of squares, and could underflow."""


class Terms(Struct, frozen=True):
    """A group's columns over its rows; conditions are columns ``_w1`` … of the stage, 1 where they are true."""

    group: Group
    rows: Rows
    spelling: Spelling

    @property
    def conditions(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(column.where for column in self.group.columns if column.where))

    @property
    def rankings(self) -> tuple[str, ...]:
        """The conditions under which the newest row is wanted, the empty one among them."""
        return tuple(dict.fromkeys(column.where for column in self.group.columns if isinstance(column, Latest)))

    @property
    def spreads(self) -> tuple[Window, ...]:
        """The columns of standard deviations, which need their mean first."""
        return tuple(c for c in self.group.columns if isinstance(c, Window) and c.aggregate == "std")

    def holds(self, where: str) -> str:
        return f"_w{self.conditions.index(where) + 1} = 1" if where else "1 = 1"

    def counted(self, column: Window, share: bool = False) -> str:
        """Whether a row counts for a window: it lies in the span, and fulfils its condition."""
        inside = f"_at > {self.spelling.earlier('_moment', column.over_seconds)}"
        return inside if share or not column.where else f"({inside} AND {self.holds(column.where)})"

    def taken(self, column: Latest | Window) -> str:
        """The value that a column takes from a row."""
        found = self.rows.column(column.take)
        return self.spelling.as_kind(quoted(column.take), found.type, found.engine_type, column.kind)

    def plain(self, column: Window) -> str:
        """The value as it is told from others: numbers as such, everything else as text."""
        found = self.rows.column(column.take)
        kind: ColumnKind = "number" if found.type == "number" else "category"
        return self.spelling.as_kind(quoted(column.take), found.type, found.engine_type, kind)

    def aggregated(self, column: Latest | Window) -> str:
        """The column's value from all rows of one moment."""
        if isinstance(column, Latest):
            return self._latest(column)
        within = self.counted(column, share=column.aggregate == "share")
        if column.aggregate == "share":
            number = self.conditions.index(column.where) + 1
            return self._divided(
                f"sum(CASE WHEN {within} THEN _w{number} END)", f"count(CASE WHEN {within} THEN 1 END)"
            )
        if column.aggregate == "since":
            newest = f"max(CASE WHEN {within} THEN _at END)"
            return self.spelling.age_seconds("min(_moment)", newest)
        if column.aggregate in ("count", "distinct"):
            value = self.plain(column) if column.take else "1"
            distinct = "DISTINCT " if column.aggregate == "distinct" else ""
            return self._double(f"count({distinct}CASE WHEN {within} THEN {value} END)")
        value = f"CASE WHEN {within} THEN {self.taken(column)} END"
        if column.aggregate == "std":
            return self._deviation(column)
        return (
            self._divided(f"sum({value})", f"count({value})")
            if column.aggregate == "mean"
            else (f"{column.aggregate}({value})")
        )

    def _latest(self, column: Latest) -> str:
        number = self.rankings.index(column.where) + 1
        young = f"_at >= {self.spelling.earlier('_moment', column.within_seconds)}"
        value = self.taken(column)
        value = self.spelling.flag_number(value) if column.kind == "flag" else value
        newest = f"max(CASE WHEN _newest_{number} = 1 AND {self.holds(column.where)} AND {young} THEN {value} END)"
        return f"({newest} = 1)" if column.kind == "flag" else newest

    def _double(self, value: str) -> str:
        return f"CAST({value} AS {self.spelling.double})"

    def _divided(self, total: str, count: str) -> str:
        return f"CASE WHEN {count} > 0 THEN {self._double(total)} / {count} END"

    def spread_mean(self, number: int, column: Window) -> list[str]:
        """First step of a standard deviation: the value where it counts, and its mean beside each row."""
        value = f"CASE WHEN {self.counted(column)} THEN {self.taken(column)} END"
        return [f"{value} AS _value_{number}", f"avg({value}) OVER of_moment AS _mean_{number}"]

    def spread_far(self, number: int) -> str:
        """Second step: how far the farthest value lies from the mean, so that squares neither overflow nor vanish."""
        return f"max(abs(_value_{number} - _mean_{number})) OVER of_moment AS _far_{number}"

    def _deviation(self, column: Window) -> str:
        """Last step: the corrected two-pass formula (Chan, Golub, LeVeque 1983), in units of the farthest value."""
        number = self.spreads.index(column) + 1
        deviation, far = f"(_value_{number} - _mean_{number})", f"_far_{number}"
        part = f"CASE WHEN abs({deviation}) > {far} * {_SMALL} THEN {deviation} / {far} ELSE 0e0 END"
        part = f"CASE WHEN _value_{number} IS NOT NULL THEN {part} END"
        count = f"count(_value_{number})"
        squares = f"sum(({part}) * ({part})) - sum({part}) * sum({part}) / {count}"
        root = f"max({far}) * sqrt(CASE WHEN {squares} > 0 THEN {squares} ELSE 0e0 END / ({count} - 1))"
        return f"CASE WHEN {count} > 1 THEN CASE WHEN max({far}) > 0 THEN {root} ELSE 0e0 END END"


def newest_first(rows: Rows, spelling: Spelling, before: Sequence[str]) -> str:
    """Rows by ``before``, then by all columns: the exact reverse of the order in which timelines take them."""
    return ", ".join(f"{each} DESC NULLS FIRST" for each in _order(rows, spelling, before))


def oldest_first(rows: Rows, spelling: Spelling, before: Sequence[str]) -> str:
    """The order in which timelines take rows."""
    return ", ".join(f"{each} ASC NULLS LAST" for each in _order(rows, spelling, before))


def _order(rows: Rows, spelling: Spelling, before: Sequence[str]) -> list[str]:
    ordered = [spelling.ordered(quoted(c.name), c.type) for c in rows.columns if c.breaks_ties]
    return list(dict.fromkeys([*before, *ordered]))
