"""Gives an outcome that is a category or a number its face of yes or no, once, before anything else is measured.

``training_set`` gets the face as ``label``; what really happened stays beside it as ``_happened``. An area under the
curve, a rate by group, a step in time then mean the same for all three kinds of outcome.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilotage.audit.measured.face import ClassFigures, Face, NumberFigures, OutcomeShape
from pilotage.data.records import QUANTILES
from pilotage.data.rules.outcomes import QUANTILES_SQL
from pilotage.platform.quoting import literal
from pilotage.usecase.records import Definition

if TYPE_CHECKING:
    import duckdb

RARE_ROWS = 50
MOST = 3
FAR_WIDTHS = 3
SAMPLES = 5
_SHOWN_MAX = 40


def happened(definition: Definition) -> str:
    """The column of ``training_set`` that holds what really happened, once its face was put on."""
    return "label" if definition.use_case.kind == "flag" else "_happened"


def put_on_face(connection: duckdb.DuckDBPyConnection, definition: Definition) -> OutcomeShape:
    """What the outcomes are; afterwards ``label`` is true or false in ``training_set``, null where nothing is known."""
    kind = definition.use_case.kind
    if kind == "flag":
        return OutcomeShape()
    if kind == "category":
        classes, usual = _classes(connection)
        shape = OutcomeShape(_of_classes(classes), classes=classes)
        condition = f"label = {literal(usual)}" if classes.most else "CAST(NULL AS BOOLEAN)"
    else:
        number = _number(connection)
        face, condition = _of_number(number, definition.use_case.outcome.unit)
        shape = OutcomeShape(face, number=number)
    connection.execute(
        f"CREATE OR REPLACE TABLE training_set AS SELECT * REPLACE (({condition}) AS label), label AS _happened "
        "FROM training_set"
    )
    return shape


def _classes(connection: duckdb.DuckDBPyConnection) -> tuple[ClassFigures, str]:
    """The figures, and the most frequent category as it is."""
    rows = connection.execute(
        "SELECT label, count(*) AS n FROM training_set WHERE label IS NOT NULL GROUP BY label ORDER BY n DESC, label"
    ).fetchall()
    rare = [(name, count) for name, count in reversed(rows) if count < RARE_ROWS]
    figures = ClassFigures(
        distinct=len(rows),
        most=tuple((_shown(name), count) for name, count in rows[:MOST]),
        rare=tuple(_shown(name) for name, _ in rare[:SAMPLES]),
        rare_count=len(rare),
        rare_rows=sum(count for _, count in rare),
    )
    return figures, rows[0][0] if rows else ""


def _of_classes(classes: ClassFigures) -> Face:
    if not classes.most:
        return Face("category")
    name = f"“{classes.most[0][0]}”"
    says = (
        f"Outcomes are categories; wherever a yes or no is needed here, it is whether one is the most frequent, {name}"
    )
    return Face("category", name, f"outcomes {name}", f"{says}.")


def _shown(name: str) -> str:
    """A category's name, cut where it is long."""
    return name if len(name) <= _SHOWN_MAX else f"{name[:_SHOWN_MAX]}…"


def _number(connection: duckdb.DuckDBPyConnection) -> NumberFigures:
    quantiles = connection.execute(QUANTILES_SQL).fetchall()[0][0]
    if not quantiles or quantiles[0] is None:
        return NumberFigures()
    low, high = quantiles[QUANTILES.index(0.25)], quantiles[QUANTILES.index(0.75)]
    fences = (low - FAR_WIDTHS * (high - low), high + FAR_WIDTHS * (high - low))
    outside = f"label NOT BETWEEN {fences[0]!r} AND {fences[1]!r}" if high > low else "false"
    usual, rows = connection.execute(
        "SELECT label, count(*) AS n FROM training_set WHERE label IS NOT NULL GROUP BY label ORDER BY n DESC, label "
        "LIMIT 1"
    ).fetchall()[0]
    far = connection.execute(f"SELECT count_if({outside}) FROM training_set").fetchall()[0][0]
    middle = quantiles[QUANTILES.index(0.5)]
    samples = connection.execute(
        f"SELECT entity, strftime(moment, '%Y-%m-%d %H:%M'), label FROM training_set WHERE {outside} "
        f"ORDER BY abs(label - {middle!r}) DESC, entity LIMIT {SAMPLES}"
    ).fetchall()
    named = tuple({"entity": str(one)[:80], "moment": at, "outcome": f"{value:g}"} for one, at, value in samples)
    return NumberFigures(tuple(quantiles), usual, rows, fences, far, named)


def _of_number(number: NumberFigures, unit: str) -> tuple[Face, str]:
    """Above the median; where nothing is, because half of the outcomes are the greatest, whether it is reached."""
    if not number.quantiles:
        return Face("number"), "CAST(NULL AS BOOLEAN)"
    middle, most = number.quantiles[QUANTILES.index(0.5)], number.quantiles[-1]
    value = f"{middle:,g} {unit}".strip()
    are, condition = (f"above {value}", f"label > {middle!r}")
    if middle == most:
        are, condition = (f"{value} or more", f"label >= {middle!r}")
    says = f"Outcomes are numbers; wherever a yes or no is needed here, it is whether one is {are}, the median"
    return Face("number", are, f"outcomes {are}", f"{says}."), condition
