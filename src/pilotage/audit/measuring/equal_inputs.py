"""Decisions with equal inputs: twins on both sides of a split by time, and contradictory outcomes.

Coarse inputs are equal by chance. So a group of equal decisions counts only where one of its values, or a pair of its
values, occurs in no other decision: then only these share it, and they share everything else as well. And there must be
enough else to share: two decisions at random have it in common in less than one of a thousand cases.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from pilotage.audit.measured.label import Contradictions
from pilotage.audit.measured.leakage import Twins
from pilotage.audit.measuring.face import happened
from pilotage.audit.measuring.sample import Sample, Vector
from pilotage.platform.quoting import quoted
from pilotage.usecase.records import Definition

if TYPE_CHECKING:
    import duckdb

ROWS_MAX = 1_000_000
TELLING_COLUMNS = 5
LATER_SHARE = 0.2
CHANCE_MAX = 0.001
SAMPLES = 5
_TELLING_SHARE_MIN = 0.01


def measure_equal_inputs(
    connection: duckdb.DuckDBPyConnection, definition: Definition, sample: Sample
) -> tuple[Twins, Contradictions]:
    """Twins and contradictions among the newest million of labelled decisions."""
    telling = _telling(sample)
    if not telling or not sample.has_both:
        return Twins(), Contradictions()
    labelled = connection.execute("SELECT count(label) FROM training_set").fetchall()[0][0]
    share = min(1.0, ROWS_MAX / max(labelled, 1))
    _compare(connection, definition, telling, share)
    sampled = ROWS_MAX if share < 1 else 0
    counts = connection.execute("""SELECT count(*), count(*) FILTER (positives NOT IN (0, n)), count(*) FILTER (later),
    count(*) FILTER (later AND twin) FROM _equal WHERE telling""").fetchall()[0]
    rows, contradicting, later, twins = counts
    contradictions = Contradictions(contradicting, rows, _samples(connection, "positives NOT IN (0, n)"), sampled)
    return Twins(twins, later, _samples(connection, "later AND twin"), sampled), contradictions


def _telling(sample: Sample) -> list[tuple[str, ...]]:
    """Inputs, and one pair of them, that may occur only once and leave enough else to share."""
    counted = sorted(((_distinct(vector), vector.name) for vector in sample.inputs), reverse=True)
    names = [name for count, name in counted[:TELLING_COLUMNS] if count >= _TELLING_SHARE_MIN * sample.rows]
    candidates = [*((name,) for name in names), *([tuple(names[:2])] if len(names) > 1 else [])]
    common = {vector.name: _in_common(vector) for vector in sample.inputs}

    def chance(without: tuple[str, ...]) -> float:
        return math.prod(share for name, share in common.items() if name not in without)

    return [candidate for candidate in candidates if chance(candidate) <= CHANCE_MAX]


def _in_common(vector: Vector) -> float:
    """How often two decisions at random have the same value."""
    values = vector.codes if vector.codes is not None else vector.numbers
    counts = np.unique(values, return_counts=True)[1] if values is not None else np.ones(1)
    return float(((counts / counts.sum()) ** 2).sum())


def _distinct(vector: Vector) -> int:
    if vector.numbers is not None:
        return len(np.unique(vector.numbers[vector.known]))
    return len(vector.levels)


def _compare(
    connection: duckdb.DuckDBPyConnection, definition: Definition, telling: list[tuple[str, ...]], share: float
) -> None:
    """Make ``_equal``: per decision its group of equals and whether a value of it is found in this group alone."""
    inputs = ", ".join(quoted(name) for name in definition.plan.names)
    names = list(dict.fromkeys(name for candidate in telling for name in candidate))
    column = {name: f"v{number}" for number, name in enumerate(names)}
    values = ", ".join(f"{quoted(name)} AS {column[name]}" for name in names)
    first, cut = connection.execute(
        f"SELECT quantile_disc(moment, {1 - share}), quantile_disc(moment, {1 - share * LATER_SHARE}) "
        "FROM training_set WHERE label IS NOT NULL"
    ).fetchall()[0]
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE _vectors AS SELECT entity, moment, label, "
        f"CAST({happened(definition)} AS VARCHAR) AS outcome, hash({inputs}) AS v, {values} "
        "FROM training_set WHERE label IS NOT NULL AND moment >= $first",
        {"first": first},
    )
    keys = [", ".join(column[name] for name in candidate) for candidate in telling]
    joins = "".join(
        f" LEFT JOIN (SELECT {key}, count(*) AS n{n} FROM _vectors GROUP BY ALL) USING ({key})"
        for n, key in enumerate(keys)
    )
    alone = " OR ".join(f"coalesce(n{n} = n, false)" for n in range(len(keys)))
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE _equal AS
    WITH equals AS (
      SELECT v, count(*) AS n, count(*) FILTER (label) AS positives,
             min(moment) FILTER (label) AS first_positive, min(moment) FILTER (NOT label) AS first_negative
      FROM _vectors GROUP BY v
    )
    SELECT entity, moment, outcome, v, n, positives, moment >= $cut AS later, {alone} AS telling,
           coalesce(CASE WHEN label THEN first_positive ELSE first_negative END < $cut, false) AS twin
    FROM _vectors JOIN equals USING (v){joins}""",
        {"cut": cut},
    )


def _samples(connection: duckdb.DuckDBPyConnection, where: str) -> tuple[dict[str, str], ...]:
    rows = connection.execute(f"""SELECT entity, strftime(moment, '%Y-%m-%d %H:%M'), left(outcome, 80)
    FROM _equal WHERE telling AND v IN (SELECT v FROM _equal WHERE telling AND {where} ORDER BY v LIMIT 1)
    ORDER BY moment, entity LIMIT {SAMPLES}""").fetchall()
    return tuple({"entity": str(one)[:80], "moment": moment, "outcome": label} for one, moment, label in rows)
