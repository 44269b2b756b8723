"""Whether identifiers carry the outcome: by their numbers, their order, or groups of their letters.

Numbers grow with time and outcomes change with time, so only decisions of one time are compared; and an identifier may
repeat what the inputs say (a flight's begins with its carrier), so only decisions of equal prospects are compared, and
a group is held against what a quick model expects of its decisions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from msgspec.structs import replace

from pilotage.audit.measured.leakage import IdentifierSkill
from pilotage.audit.measuring.sample import Sample
from pilotage.audit.measuring.skill import Codes, Floats, auc, stratified_auc
from pilotage.platform.quoting import quoted
from pilotage.usecase.records import Definition

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

TIME_ROWS = 240
PROSPECTS = 3
DISTINCT_MIN = 0.5
GROUPS_MAX = 2_000
KNOWS_ALL_AUC = 0.97
GROUP_ROWS_MIN = 30
GROUP_STEP_MIN = 0.4
GROUP_Z_MIN = 8.0
_DIGITS = "TRY_CAST(regexp_extract({value}, '([0-9]{{1,15}})[^0-9]*$', 1) AS DOUBLE)"
_PARTS = {
    "its number": ("number", _DIGITS),
    "its order": ("order", "{value}"),
    "its length": ("group", "CAST(length({value}) AS VARCHAR)"),
    "its first character": ("group", "left({value}, 1)"),
    "its first two characters": ("group", "left({value}, 2)"),
    "the letters it begins with": ("group", "regexp_extract({value}, '^[^0-9]*')"),
    "its last character": ("group", "right({value}, 1)"),
    "its last two characters": ("group", "right({value}, 2)"),
    "the letters it ends with": ("group", "regexp_extract({value}, '[^0-9]*$')"),
}

LENGTH_MAX = 64
"""Characters on average: what is longer is a text that somebody wrote, not an identifier."""


@dataclass(frozen=True)
class _Comparison:
    """What decisions are held against: others of their stratum, and what is expected of each."""

    sample: Sample
    strata: Codes
    expected: Floats


def measure_identifiers(
    connection: duckdb.DuckDBPyConnection, definition: Definition, sample: Sample, expected: Floats | None
) -> tuple[IdentifierSkill, ...]:
    """The best part of the entity's identifier, and of each text in the request that tells most cases apart."""
    if not sample.has_both or _knows_all(sample, expected):
        return ()
    comparison = _comparison(sample, expected)
    _read_identifiers(connection, definition)
    source = definition.use_case.decision.source
    names = [definition.plan.entity, *_texts(definition)]
    found = [_best_part(connection, (source, name), f"i{n}", comparison) for n, name in enumerate(names)]
    return tuple(one for one in found if one is not None)


def _knows_all(sample: Sample, expected: Floats | None) -> bool:
    """Whether the inputs leak: of outcomes that a model knows anyway, no two with equal prospects are left."""
    return expected is not None and auc(expected, sample.labels) >= KNOWS_ALL_AUC


def _texts(definition: Definition) -> list[str]:
    """The texts that the app sends beside the entity."""
    request = definition.plan.request.items()
    return [name for name, column in request if column.kind == "category" and name != definition.plan.entity]


def _read_identifiers(connection: duckdb.DuckDBPyConnection, definition: Definition) -> None:
    """Make ``_identifiers``: per decision of the sample the entity and the texts that the app sends, ``i0`` …"""
    entity = quoted(definition.plan.entity)
    texts = "".join(f", CAST(spine.{quoted(name)} AS VARCHAR) AS i{n}" for n, name in enumerate(_texts(definition), 1))
    connection.execute(f"""CREATE OR REPLACE TEMP TABLE _identifiers AS
    SELECT _nth, _entity AS i0{texts} FROM _sample JOIN spine ON spine.{entity} = _sample._entity""")


def _comparison(sample: Sample, expected: Floats | None) -> _Comparison:
    """Decisions of one time whose outcome a quick model expects alike; without one only those of one time."""
    times = sample.times(TIME_ROWS)
    if expected is None:
        rates = np.bincount(times, sample.labels.astype(np.float64)) / np.bincount(times)
        return _Comparison(sample, times, rates[times])
    edges = np.quantile(expected, np.linspace(0, 1, PROSPECTS + 1)[1:-1])
    return _Comparison(sample, times * PROSPECTS + np.searchsorted(edges, expected), expected)


def _best_part(
    connection: duckdb.DuckDBPyConnection,
    place: tuple[str, str],
    value: str,
    comparison: _Comparison,
) -> IdentifierSkill | None:
    rows = comparison.sample.rows
    distinct, length = connection.execute(
        f"SELECT count(DISTINCT {value}), coalesce(avg(length({value})), 0) FROM _identifiers"
    ).fetchall()[0]
    if distinct < DISTINCT_MIN * rows or length > LENGTH_MAX:
        return None
    chosen = ", ".join(f"{sql.format(value='v')} AS p{n}" for n, (_, sql) in enumerate(_PARTS.values()))
    table = connection.sql(
        f"SELECT {chosen} FROM (SELECT _nth, {value} AS v FROM _identifiers) ORDER BY _nth"
    ).to_arrow_table()
    if table.num_rows != rows:
        return None
    best = IdentifierSkill(*place, "", 0.5, 0.0, rows)
    for number, (part, (form, _)) in enumerate(_PARTS.items()):
        found = _skill(table.column(number), form, comparison, IdentifierSkill(*place, part, 0.5, 0.0, rows))
        best = max(best, found, key=lambda one: (one.rate is not None, one.auc))
    return best


def _skill(values: pa.ChunkedArray, form: str, comparison: _Comparison, empty: IdentifierSkill) -> IdentifierSkill:
    labels = comparison.sample.labels
    if form == "number":
        numbers = values.to_numpy().astype(np.float64)
        return _ordered(np.where(np.isnan(numbers), -1.0, numbers), comparison, empty)
    encoded = values.combine_chunks().dictionary_encode()
    levels = [text or "" for text in encoded.dictionary.to_pylist()]
    codes = encoded.indices.fill_null(len(levels)).to_numpy(zero_copy_only=False).astype(np.int64)
    if form == "order":
        place = np.argsort(np.argsort(np.array([*levels, ""]), kind="stable"), kind="stable")
        return _ordered(place[codes].astype(np.float64), comparison, empty)
    if not 1 < len(levels) <= GROUPS_MAX:
        return empty
    rows = np.bincount(codes, minlength=len(levels) + 1).astype(np.float64)
    positives = np.bincount(codes, labels.astype(np.float64), len(levels) + 1)
    hoped = np.bincount(codes, comparison.expected, len(levels) + 1)
    spread = np.sqrt(np.bincount(codes, comparison.expected * (1 - comparison.expected), len(levels) + 1)) + 0.5
    z = np.where(rows >= GROUP_ROWS_MIN, np.abs(positives - hoped) / spread, 0.0)
    step = np.abs(positives - hoped) / np.maximum(rows, 1)
    worst = int(np.argmax(np.where(step >= GROUP_STEP_MIN, z, 0.0)))
    if z[worst] < GROUP_Z_MIN or step[worst] < GROUP_STEP_MIN or worst == len(levels):
        return empty
    n = int(rows[worst])
    rate, usual = float(positives[worst] / n), float(hoped[worst] / n)
    return replace(empty, group=levels[worst], rows=n, z=float(z[worst]), rate=rate, expected=usual)


def _ordered(scores: Floats, comparison: _Comparison, empty: IdentifierSkill) -> IdentifierSkill:
    area, z = stratified_auc(scores, comparison.sample.labels, comparison.strata)
    return replace(empty, auc=max(area, 1 - area), z=abs(z))
