"""From figures to what a report shows of each source and of each input at the moment of decision."""

from __future__ import annotations

import math

from pilotage.audit.measured import Measured
from pilotage.audit.measured.availability import Availability
from pilotage.audit.measured.columns import ColumnFigures
from pilotage.audit.measured.sources import SourceFigures
from pilotage.audit.records import Available, ColumnProfile, SourceProfile
from pilotage.audit.rules.answers import place_of
from pilotage.audit.rules.owners import names_of, owner_of
from pilotage.data.records import FoundColumn
from pilotage.usecase.records import Column, Definition, Given, Latest, Window

_TEXT_MAX = 40
_EXACT = 1e15


def profiles(definition: Definition, measured: Measured) -> tuple[SourceProfile, ...]:
    """Every source with its columns."""
    hidden = {(seen.source, seen.column) for seen in measured.personal.columns}
    shares: dict[str, float] = {}
    for match in measured.decisions.matches:
        shares[match.source] = min(match.share, shares.get(match.source, 1.0))
    if measured.decisions.decisions:
        shares[definition.use_case.outcome.source] = measured.decisions.labelled / measured.decisions.decisions
    return tuple(
        SourceProfile(
            source=name,
            rows=figures.rows,
            duplicates_by_key=figures.rows - figures.keys,
            known_to=figures.known_to,
            completeness=figures.completeness,
            match_share=shares.get(name),
            place=place_of(definition.use_case.sources[name]),
            owner=owner_of(definition.use_case, name),
            columns=tuple(_column(figures, c, (name, c.name) in hidden) for c in figures.columns),
        )
        for name, figures in measured.sources.items()
    )


def _column(figures: SourceFigures, column: FoundColumn, hidden: bool) -> ColumnProfile:
    """What is known of a column; of one that may be personal no value is told."""
    profile = figures.profiles.get(column.name)
    if profile is None:
        return ColumnProfile(column.name, column.type, 0.0)
    filled = profile.filled / figures.rows if figures.rows else 0.0
    least, typical, most = ("", "", "") if hidden else _texts(profile)
    return ColumnProfile(column.name, column.type, filled, profile.distinct, least, typical, most)


def _texts(profile: ColumnFigures) -> tuple[str, str, str]:
    """Least, typical (the median, or the most frequent text) and greatest value, as far as they were measured."""
    number = profile.number
    if number is not None:
        middle = number.quantiles[len(number.quantiles) // 2] if number.quantiles else None
        return _number(number.low), _number(middle), _number(number.high)
    if profile.text is not None and profile.text.frequent:
        return "", profile.text.frequent[0].text[:_TEXT_MAX], ""
    return "", "", ""


def _number(value: float | None) -> str:
    if value is None or not math.isfinite(value):
        return ""
    return f"{value:.0f}" if value == int(value) and abs(value) < _EXACT else f"{value:.6g}"


def availability(definition: Definition, measured: Measured) -> tuple[Available, ...]:
    """Each input at the moment of decision: from where, how often known, how old, how late its source is."""
    known = measured.decisions.input_completeness
    ages = {each.input: each for each in measured.availability}
    return tuple(_available(c, known.get(c.name, 0.0), measured, ages.get(c.name)) for c in definition.plan.columns)


def _available(column: Column, known: float, measured: Measured, age: Availability | None) -> Available:
    if isinstance(column, (Latest, Window)):
        return Available(
            input=column.name,
            origin=f"{column.source} by {names_of(column.by)}",
            known=known,
            late_seconds=measured.sources[column.source].lateness_seconds,
            within_seconds=column.within_seconds if isinstance(column, Latest) else column.over_seconds,
            age_median_seconds=age.age_median_seconds if age else None,
            age_most_seconds=age.age_most_seconds if age else None,
            too_late=age.too_late if age else 0.0,
        )
    return Available(column.name, "sent by the app" if isinstance(column, Given) else "computed from others", known)
