"""The timelines that a plan needs, and the rows of a source that each of them is made from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from pilotage.data.rules.timelines.values import cast
from pilotage.platform.quoting import quoted
from pilotage.usecase.records import ColumnKind, Latest, Plan, Window
from pilotage.usecase.rules.expressions import to_sql

Form = Literal["latest", "since", "sums", "distinct", "extremes"]
_FORMS: dict[str, Form] = {"since": "since", "distinct": "distinct", "min": "extremes", "max": "extremes"}


class SourceFacts(Struct, frozen=True):
    """What was measured of a source's rows and decides how its timelines are made."""

    corrected: bool
    largest: dict[str, float] = {}


class Timeline(Struct, frozen=True):
    """The columns that share source, key, rows, span and form.

    ``key`` are the source's columns that equal the request's ``by``; ``where`` is an expression that all rows fulfil.
    """

    name: str
    source: str
    by: tuple[str, ...]
    key: tuple[str, ...]
    kinds: tuple[ColumnKind, ...]
    columns: tuple[Latest | Window, ...]
    form: Form
    over_seconds: int
    where: str = ""

    @property
    def is_window(self) -> bool:
        return isinstance(self.columns[0], Window)

    @property
    def has_event_time(self) -> bool:
        """Whether its values depend on how long ago the newest row happened: it has a column ``_event_time``."""
        return self.form in ("latest", "since")


def timelines(plan: Plan) -> tuple[Timeline, ...]:
    """The timelines that a plan's columns need, in the order of the columns."""
    groups: dict[tuple[object, ...], list[Latest | Window]] = {}
    for column in plan.columns:
        if isinstance(column, (Latest, Window)):
            span = column.over_seconds if isinstance(column, Window) and column.aggregate != "since" else 0
            place = (form_of(column), column.source, column.by, column.found_by, span, _filter(column))
            groups.setdefault(place, []).append(column)
    return tuple(_timeline(f"timeline_{n}", plan, columns) for n, columns in enumerate(groups.values(), 1))


def form_of(column: Latest | Window) -> Form:
    """How the column's timeline is made."""
    return "latest" if isinstance(column, Latest) else _FORMS.get(column.aggregate, "sums")


def _filter(column: Latest | Window) -> str:
    """What rows must fulfil to be looked at: of a share, all are, and its condition is counted."""
    return "" if isinstance(column, Window) and column.aggregate == "share" else column.where


def _timeline(name: str, plan: Plan, columns: Sequence[Latest | Window]) -> Timeline:
    first = columns[0]
    kinds = tuple(plan.request[by].kind if by in plan.request else "category" for by in first.by)
    spans = [column.over_seconds if isinstance(column, Window) else column.within_seconds for column in columns]
    form, where = form_of(first), _filter(first)
    return Timeline(name, first.source, first.by, first.found_by, kinds, tuple(columns), form, max(spans), where)


def key_columns(timeline: Timeline) -> str:
    """``_by_1, _by_2`` …"""
    return ", ".join(key_names(timeline))


def key_names(timeline: Timeline) -> list[str]:
    """``_by_1``, ``_by_2`` …, one for each column of the key."""
    return [f"_by_{n}" for n in range(1, len(timeline.by) + 1)]


def rows_sql(timeline: Timeline, more: Sequence[str]) -> str:
    """The rows with their keys and ``more``: those that have all keys and fulfil the timeline's ``where``."""
    pairs = zip(timeline.key, timeline.kinds, strict=True)
    keys = [f"{cast(quoted(name), kind)} AS _by_{n}" for n, (name, kind) in enumerate(pairs, 1)]
    known = " AND ".join(f"{name} IS NOT NULL" for name in key_names(timeline))
    history = quoted("history_" + timeline.source)
    if timeline.where:
        history = f"(SELECT * FROM {history} WHERE ({to_sql(timeline.where)}))"
    return f"SELECT * FROM (SELECT {', '.join([*keys, *more])} FROM {history}) WHERE {known}"


def leaves_at(timeline: Timeline) -> str:
    """When a row leaves the window: its span is over, or a correction replaces it."""
    return f"least(_replaced_at, _event_time + to_seconds({timeline.over_seconds})) AS _leaves_at"
