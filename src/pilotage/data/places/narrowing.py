"""Conditions over a table's own columns that let an index find a key's rows, and let none of them out.

What is compared exactly is the value as snapshots have it, which an index does not hold. So the column itself is
compared as well, where its declared type leaves no doubt that equal values are equal there too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec import Struct

from pilotage.data.rules.direct import SPELLINGS, Group, Rows
from pilotage.platform.instants import as_utc
from pilotage.platform.quoting import quoted
from pilotage.usecase.records import ColumnKind
from pilotage.usecase.rules.expressions.dialects import Dialect

_WHOLE = ("int2", "int4", "int8")
_TEXTS = ("text", "varchar", "name")
_DIGITS_MAX = 18
_DAY = timedelta(days=1)
_FIRST = datetime(1000, 1, 1, tzinfo=UTC)
_INSTANTS = {"timestamp": "timestamp", "timestamptz": "timestamptz"}


class _Whole(Struct, frozen=True):
    """A request column that is compared as a whole number."""

    by: str
    parameter: str


class Narrowing(Struct, frozen=True):
    """What narrows one group's candidates, and the parameters that this adds."""

    group: str
    conditions: tuple[str, ...]
    whole: tuple[_Whole, ...] = ()
    span_seconds: int = 0
    days: str = ""

    def parameters(self, request: Mapping[str, Any], moment: datetime) -> dict[str, Any]:
        """The parameters of the conditions."""
        found: dict[str, Any] = {each.parameter: whole_number(request.get(each.by)) for each in self.whole}
        if self.days:
            instant = as_utc(moment)
            span = min(timedelta(seconds=self.span_seconds), instant - _FIRST)
            found[f"{self.days}_from"] = (instant - span - _DAY).date().isoformat()
            found[f"{self.days}_to"] = (instant + 2 * _DAY).date().isoformat()
        return found


def narrowings(groups: Sequence[Group], rows: Rows, natives: Mapping[str, str], dialect: Dialect) -> list[Narrowing]:
    """One for each group of a source."""
    return [_narrowing(f"n{number}", group, rows, natives, dialect) for number, group in enumerate(groups, 1)]


def _narrowing(prefix: str, group: Group, rows: Rows, natives: Mapping[str, str], dialect: Dialect) -> Narrowing:
    spelling = SPELLINGS[dialect]
    conditions: list[str] = []
    whole: list[_Whole] = []
    for number, (by, key, kind) in enumerate(zip(group.by, group.key, group.kinds, strict=True), 1):
        native, parameter = natives[key], f"{prefix}_{number}"
        if dialect == "postgresql" and native in _WHOLE and kind in ("category", "number"):
            whole.append(_Whole(by, parameter))
            mark = spelling.parameter(parameter, "category").replace(" AS text)", " AS bigint)")
            conditions.append(f"{quoted(key)} = {mark}")
        elif (dialect == "postgresql" and native in _TEXTS and kind == "category") or (
            dialect == "sqlite" and _compares_in_sqlite(native, rows.column(key).type, kind)
        ):
            conditions.append(f"{quoted(key)} = {spelling.parameter(by, kind)}")
    days = ""
    if rows.event_time and dialect == "postgresql" and natives[rows.event_time] in _INSTANTS:
        conditions += _instants(quoted(rows.event_time), natives[rows.event_time], group.span_seconds)
    elif rows.event_time and dialect == "sqlite":
        days = prefix
        conditions.append(_days(quoted(rows.event_time), prefix))
    return Narrowing(group.name, tuple(conditions), tuple(whole), group.span_seconds, days)


def _compares_in_sqlite(native: str, found: str, kind: ColumnKind) -> bool:
    """Whether the column's affinity (section 3.1 of SQLite's "Datatypes") makes equal values equal as they are kept."""
    native = native.upper()
    is_number = any(part in native for part in ("INT", "REAL", "FLOA", "DOUB", "NUM", "DEC"))
    is_text = any(part in native for part in ("CHAR", "CLOB", "TEXT")) and "INT" not in native
    return (is_text and found == "text" and kind == "category") or (
        is_number and not is_text and found == "number" and kind in ("category", "number")
    )


def _instants(name: str, native: str, span_seconds: int) -> list[str]:
    spelling = SPELLINGS["postgresql"]
    moment = spelling.parameter("moment", "datetime")
    zone = " AT TIME ZONE 'UTC'" if native == "timestamptz" else ""
    return [f"{name} <= ({moment}{zone})", f"{name} >= ({spelling.earlier(moment, span_seconds)}{zone})"]


def _days(name: str, prefix: str) -> str:
    """Text of an instant lies at most 14 hours beside UTC's; what is no text of an instant is let through."""
    spelling = SPELLINGS["sqlite"]
    first, last = spelling.parameter(f"{prefix}_from", "category"), spelling.parameter(f"{prefix}_to", "category")
    return f"(({name} >= {first} AND {name} < {last}) OR {name} < '1000-')"


def whole_number(value: Any) -> int | None:
    """The whole number that a key may be; None where no row can have it, as its text is another."""
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < 10**_DIGITS_MAX else None
    digits = value.removeprefix("-") if isinstance(value, str) else ""
    return int(value) if digits.isascii() and digits.isdigit() and len(digits) <= _DIGITS_MAX else None
