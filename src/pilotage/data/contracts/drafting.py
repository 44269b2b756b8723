"""A first contract, from what a source's rows look like: what held so far, with the figure beside each guess.

It warns and does not block: a person turns what happened to be so into what has to be so.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from datetime import datetime

from msgspec import Struct

from pilotage.data.contracts.figures import SHAPED_LENGTH_MAX, ColumnFigures, Figures
from pilotage.data.contracts.records import ColumnContract, Contract, Protection
from pilotage.data.contracts.wording import number
from pilotage.govern.records import Purpose
from pilotage.platform.instants import as_utc
from pilotage.usecase.records import seconds
from pilotage.usecase.rules.places import Path

ROWS_MIN = 30
"""Of fewer rows nothing is said about all that will come."""
_REPEATED_MIN = 5
"""Texts are categories when each stands that often, on average."""
_INSTANTS_MIN = 20
_SIGNIFICANT = 2
_PIECES = re.compile(r"A+|a+|9+|.", re.DOTALL)
_CLASSES = {"A": "[A-Z]", "a": "[a-z]", "9": "[0-9]"}


class Draft(Struct, frozen=True):
    """A drafted contract, why each of its lines says what it says, and what it says nothing of."""

    contract: Contract
    remarks: dict[Path, str]
    notes: tuple[str, ...] = ()


def drafted(
    source: str,
    owner: str,
    key: tuple[str, ...],
    figures: Figures,
    protections: Mapping[str, Protection],
    used: Collection[str] = (),
    now: datetime | None = None,
) -> Draft:
    """What holds in all rows of a source, its freshness also ``now``. ``used`` columns keep the purposes that the use
    case needs.
    """
    drafting = _Drafting(key, figures, protections, frozenset(used), now)
    columns = {column.name: drafting.column(column) for column in figures.columns}
    contract = Contract(contract=source, owner=owner, freshness=drafting.freshness(), columns=columns)
    return Draft(contract, drafting.remarks, tuple(drafting.notes))


class _Drafting:
    def __init__(
        self,
        key: tuple[str, ...],
        figures: Figures,
        protections: Mapping[str, Protection],
        used: frozenset[str],
        now: datetime | None,
    ) -> None:
        self.key, self.figures, self.protections, self.used, self.now = key, figures, protections, used, now
        self.remarks: dict[Path, str] = {}
        self.notes: list[str] = []
        self.enough = figures.rows >= ROWS_MIN

    def freshness(self) -> str | None:
        """Twice the age that the newest row nearly never exceeded; nothing in an archive, whose newest row is older."""
        gap = self.figures.gap_seconds
        if gap is None or self.figures.instants < _INSTANTS_MIN:
            return None
        promised, newest = _duration(2 * gap), self.figures.newest
        if self.now is not None and newest is not None:
            age = (as_utc(self.now) - as_utc(newest)).total_seconds()
            if age > seconds(promised):
                self.notes.append(
                    f"No freshness: the newest row is of {newest:%Y-%m-%d %H:%M} UTC, older than the {promised} that "
                    "held while rows came. Promise that once they come again."
                )
                return None
        self.remarks[("freshness",)] = (
            f"{self.figures.instants:,} instants of known_at: 99 % of the time the newest was at most {_span(gap)} old"
        )
        return promised

    def column(self, column: ColumnFigures) -> ColumnContract:
        path = ("columns", column.name)
        required = self.enough and column.filled == self.figures.rows
        if required:
            self.remarks[(*path, "required")] = f"none of {self.figures.rows:,} rows is empty"
        low, high = self._range(path, column)
        categories = self._categories(path, column)
        pattern = "" if categories else self._pattern(path, column)
        protection = self._protection(path, column.name)
        return ColumnContract(
            type=column.type,
            required=required,
            unique=self.key == (column.name,),
            min=low,
            max=high,
            categories=list(categories),
            pattern=pattern,
            sensitivity=protection.sensitivity,
            purposes=protection.purposes,
            mask=protection.mask,
        )

    def _range(self, path: Path, column: ColumnFigures) -> tuple[float | None, float | None]:
        if column.type != "number" or column.least is None or column.most is None or not self.enough:
            return None, None
        if column.least == column.most:
            return None, None  # one value so far says nothing of what others there may be
        says = f"from {column.filled:,} rows: {number(column.least)} to {number(column.most)}"
        self.remarks[(*path, "min")] = says
        return rounded_outwards(column.least, column.most)

    def _categories(self, path: Path, column: ColumnFigures) -> tuple[str, ...]:
        """All texts, where they are few and each stands often; a key's values are never categories."""
        found = column.categories
        if not found or column.name in self.key or column.filled < max(ROWS_MIN, _REPEATED_MIN * len(found)):
            return ()
        self.remarks[(*path, "categories")] = f"all that stand in {column.filled:,} rows"
        return found

    def _pattern(self, path: Path, column: ColumnFigures) -> str:
        """One shape that all texts have, where it has a digit, as identifiers do."""
        if column.type != "text" or column.filled < ROWS_MIN or column.distinct < ROWS_MIN:
            return ""
        shape = column.shape if len(column.shape) <= SHAPED_LENGTH_MAX else ""
        lengths = True
        if not shape and "9" in column.runs and len(column.runs) > 1:
            shape, lengths = column.runs, False
        if "9" not in shape or not shape.isascii() or not shape.isprintable():
            return ""
        self.remarks[(*path, "pattern")] = f"all of {column.filled:,} texts have this shape"
        return f"^{''.join(_piece(piece, lengths) for piece in _PIECES.findall(shape))}$"

    def _protection(self, path: Path, name: str) -> Protection:
        protection = self.protections.get(name)
        if protection is None:
            return Protection("internal", ColumnContract(type="text").purposes, "none", "")
        self.remarks[(*path, "sensitivity")] = protection.why
        missing = [purpose for purpose in ("training", "inference") if purpose not in protection.purposes]
        if name in self.used and missing:
            needed: tuple[Purpose, ...] = ("training", "inference", *protection.purposes)
            self.remarks[(*path, "purposes")] = f"the use case takes it; {' and '.join(missing)} is not proposed"
            return Protection(protection.sensitivity, tuple(dict.fromkeys(needed)), protection.mask, protection.why)
        return protection


def rounded_outwards(least: float, most: float) -> tuple[float, float]:
    """A range around what was seen, to two figures of its larger end; it does not reach over zero where nothing did.

    So 1 to 12, 0 to 23 and 0 to 100 stay as they are: they mostly mean what they seem to.
    """
    largest = max(abs(least), abs(most))
    if largest == 0:
        return 0.0, 0.0
    unit = 10.0 ** (math.floor(math.log10(largest)) - _SIGNIFICANT + 1)
    if not 1e-300 < unit < 1e300:
        return least, most
    low = _tidy(math.floor(least / unit + 1e-9) * unit, unit)
    high = _tidy(math.ceil(most / unit - 1e-9) * unit, unit)
    return min(low, least), max(high, most)


def _tidy(value: float, unit: float) -> float:
    return round(value, max(0, -math.floor(math.log10(unit)))) + 0.0


def _piece(piece: str, lengths: bool) -> str:
    kind = _CLASSES.get(piece[0])
    if kind is None:
        return re.escape(piece) if piece in r".^$*+?{}[]\|()" else piece
    if not lengths:
        return f"{kind}+"
    return kind if len(piece) == 1 else f"{kind}{{{len(piece)}}}"


def _duration(span_seconds: float) -> str:
    """A duration of whole hours, or of whole days where it is longer than two, not shorter than the span."""
    hours = max(1, math.ceil(span_seconds / 3600))
    if hours <= 48:
        return f"{hours} hour{'s' if hours > 1 else ''}"
    return f"{min(math.ceil(hours / 24), 99_999)} days"


def _span(span_seconds: float) -> str:
    minutes = span_seconds / 60
    return f"{minutes:,.0f} minutes" if minutes < 120 else f"{minutes / 60:,.0f} hours"
