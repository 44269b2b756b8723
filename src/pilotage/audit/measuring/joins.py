"""Values that were made from outcomes and come back through a join.

A value made from the outcomes of all rows of its key holds the own outcome, too: much of it where the key is shared by
few decisions, little where it is shared by many. So such a value tells most where an honest one, made from the past,
tells least. What cannot be seen: a value of keys that are all shared by many decisions, or all by few.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from pilotage.audit.measured.leakage import JoinSkill
from pilotage.audit.measuring.sample import Sample
from pilotage.audit.measuring.skill import Codes, Flags, auc, error_of
from pilotage.data.rules.timelines import timelines
from pilotage.platform.quoting import quoted
from pilotage.usecase.records import Definition

if TYPE_CHECKING:
    import duckdb

RARE_MAX = 3
COMMON_MIN = 10
KIND_MIN = 30


def measure_joins(
    connection: duckdb.DuckDBPyConnection, definition: Definition, sample: Sample
) -> tuple[JoinSkill, ...]:
    """Every looked-up number whose key is shared by few decisions here and by many there."""
    vectors = {vector.name: vector for vector in sample.inputs if vector.numbers is not None}
    found = []
    sizes: dict[tuple[str, ...], Codes] = {}
    for line in timelines(definition.plan):
        if definition.plan.entity in line.by:
            continue
        if line.by not in sizes:
            sizes[line.by] = _decisions_of_key(connection, definition, line.by)
        shared = sizes[line.by]
        if len(shared) != sample.rows:
            continue
        for column in line.columns:
            vector = vectors.get(column.name)
            if vector is None or vector.numbers is None:
                continue
            rare = vector.known & (shared <= RARE_MAX)
            common = vector.known & (shared >= COMMON_MIN)
            if _both(sample.labels[rare]) and _both(sample.labels[common]):
                areas = [auc(vector.numbers[part], sample.labels[part]) for part in (rare, common)]
                up = areas[0] >= 0.5
                first, second = areas if up else [1 - area for area in areas]
                error = math.hypot(_error(first, sample.labels[rare]), _error(second, sample.labels[common]))
                z = (first - second) / error
                counts = int(rare.sum()), int(common.sum())
                found.append(JoinSkill(line.source, column.name, line.by, first, counts[0], second, counts[1], z))
    return tuple(found)


def _decisions_of_key(connection: duckdb.DuckDBPyConnection, definition: Definition, by: tuple[str, ...]) -> Codes:
    """Per decision of the sample, how many decisions share its key; 0 where it has none."""
    entity = quoted(definition.plan.entity)
    names = ", ".join(quoted(name) for name in by)
    own = ", ".join(f"spine.{quoted(name)}" for name in by)
    table = connection.sql(f"""
    WITH sizes AS (SELECT {names}, count(*) AS _n FROM spine GROUP BY ALL),
    keys AS (SELECT _nth, {own} FROM _sample JOIN spine ON spine.{entity} = _sample._entity)
    SELECT coalesce(_n, 0) AS _n FROM keys LEFT JOIN sizes USING ({names}) ORDER BY _nth""").to_arrow_table()
    sizes: Codes = table["_n"].to_numpy().astype(np.int64)
    return np.where(sizes > 0, sizes, COMMON_MIN - 1)


def _both(labels: Flags) -> bool:
    positives = int(labels.sum())
    return min(positives, len(labels) - positives) >= KIND_MIN


def _error(area: float, labels: Flags) -> float:
    positives = int(labels.sum())
    return error_of(area, positives, len(labels) - positives)
