"""When outcomes become known, and in which stretches of time they were equally often positive."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from pilotage.audit.measured.label import OutcomeDelay, Regime, Regimes
from pilotage.audit.measuring.skill import Floats
from pilotage.data.rules.keys import as_text
from pilotage.data.rules.outcomes import valued
from pilotage.platform.quoting import quoted
from pilotage.usecase.records import Definition
from pilotage.usecase.rules.expressions import to_sql

if TYPE_CHECKING:
    import duckdb

ROWS_MAX = 500_000
BINS_MAX = 300
REGIMES_MAX = 6
ROWS_SHARE_MIN = 0.05
RATIO_MIN = 1.5
STEP_MIN = 0.02


def measure_delay(connection: duckdb.DuckDBPyConnection, definition: Definition) -> OutcomeDelay | None:
    """The delay of the first outcome, of the older four fifths: among the newest only quick ones are there."""
    outcome = definition.use_case.outcome
    source = definition.use_case.sources[outcome.source]
    if source.is_static:
        return None
    entity = quoted(definition.plan.entity)
    decisions = connection.execute("SELECT count(*) FROM spine").fetchall()[0][0]
    every = max(1, -(-decisions // ROWS_MAX))
    row = connection.execute(f"""
    WITH past AS (
      SELECT {entity} AS entity, _moment FROM spine
      WHERE _moment <= (SELECT quantile_disc(_moment, 0.8) FROM spine) AND hash({entity}) % {every} = 0
    ), first AS (
      SELECT {as_text(entity)} AS entity, min({quoted(source.known_at)}) AS known_at
      FROM {quoted(outcome.source)} WHERE ({valued(to_sql(outcome.expression), outcome.kind)}) IS NOT NULL
        AND hash({as_text(entity)}) % {every} = 0 GROUP BY ALL
    ), delays AS (SELECT epoch(first.known_at) - epoch(past._moment) AS delay FROM past JOIN first USING (entity))
    SELECT count(*), quantile_cont(delay, 0.5), quantile_cont(delay, 0.95), quantile_cont(delay, 0.99),
           avg(CAST(delay <= 0 AS INTEGER)) FROM delays""").fetchall()[0]
    if not row[0]:
        return None
    rows, middle, most, nearly_all, early = row
    return OutcomeDelay(rows, middle, most, nearly_all, early, sampled=rows if every > 1 else 0)


def measure_regimes(connection: duckdb.DuckDBPyConnection) -> Regimes:
    """Stretches of days between which the rate of positives stepped."""
    rows = connection.execute(
        "SELECT CAST(moment AS DATE) AS _day, count(*), count(*) FILTER (label) FROM training_set "
        "WHERE label IS NOT NULL AND moment IS NOT NULL GROUP BY _day ORDER BY _day"
    ).fetchall()
    if len(rows) < 2:
        return Regimes()
    counts = np.array([(n, p) for _, n, p in rows], np.float64)
    starts = _bins(counts[:, 0])
    rates = np.add.reduceat(counts, starts, axis=0)
    at = steps(rates[:, 0], rates[:, 1])
    bounds = [0, *at, len(rates)]
    found = []
    for first, last in pairwise(bounds):
        n, p = rates[first:last].sum(axis=0)
        end = starts[last] - 1 if last < len(starts) else len(rows) - 1
        found.append(Regime(_instant(rows[starts[first]][0]), _instant(rows[end][0]), int(n), float(p / n)))
    return Regimes(tuple(found), _explained(rates, bounds))


def _instant(day: datetime) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _bins(rows: Floats) -> list[int]:
    """Days put together until there are at most 300 stretches of about as many rows."""
    number = np.floor((np.cumsum(rows) - rows) / (rows.sum() / BINS_MAX)).astype(np.int64)
    return [int(at) for at in np.flatnonzero(np.r_[True, number[1:] != number[:-1]])]


def steps(rows: Floats, positives: Floats) -> list[int]:
    """Where the rate of positives steps: the split of the stretches that explains them best, paid for by each step.

    The price of a step is that of the likelihood (Bayes' information criterion), times how much more neighbours differ
    than chance lets them. Steps between rates that hardly differ are taken out again.
    """
    bins = len(rows)
    n, p = np.r_[0, np.cumsum(rows)], np.r_[0, np.cumsum(positives)]
    total = n[None, :] - n[:, None]
    hits = p[None, :] - p[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = hits / total
        cost = -(hits * np.log(rate) + (total - hits) * np.log1p(-rate))
    cost = np.where(np.isfinite(cost), cost, 0.0)
    cost[total < ROWS_SHARE_MIN * n[-1]] = np.inf
    price = _overdispersion(rows, positives) * np.log(max(bins, 2)) * 1.5
    best, back = [cost[0]], []
    for _ in range(REGIMES_MAX - 1):
        through = best[-1][:, None] + cost
        back.append(np.argmin(through, axis=0))
        best.append(np.min(through, axis=0))
    ends = [one[bins] + number * price for number, one in enumerate(best)]
    count = int(np.argmin(ends))
    at, end = [], bins
    for number in range(count, 0, -1):
        end = int(back[number - 1][end])
        at.append(end)
    return _merged(n, p, sorted(at), bins)


def _overdispersion(rows: Floats, positives: Floats) -> float:
    rate = positives.sum() / rows.sum()
    if not 0 < rate < 1 or len(rows) < 3:
        return 1.0
    differences = np.diff(positives / rows)
    chance = rate * (1 - rate) * (1 / rows[1:] + 1 / rows[:-1])
    return max(1.0, float(np.mean(differences**2 / chance)))


def _merged(n: Floats, p: Floats, at: list[int], bins: int) -> list[int]:
    """Without steps between rates that hardly differ, the smallest step first."""
    kept = list(at)
    while kept:
        bounds = [0, *kept, bins]
        rates = [(p[b] - p[a]) / (n[b] - n[a]) for a, b in pairwise(bounds)]
        sizes = [abs(after - before) for before, after in pairwise(rates)]
        small = min(range(len(sizes)), key=sizes.__getitem__)
        before, after = rates[small], rates[small + 1]
        if sizes[small] >= STEP_MIN and max(before, after) >= RATIO_MIN * min(before, after):
            return kept
        del kept[small]
    return kept


def _explained(rates: Floats, bounds: list[int]) -> float:
    """The part of how the rate moved that lies between the stretches; what chance moves is left out."""
    share = rates[:, 1] / rates[:, 0]
    weight = rates[:, 0]
    middle = np.empty(len(rates))
    for a, b in pairwise(bounds):
        middle[a:b] = np.average(share[a:b], weights=weight[a:b])
    chance = float((middle * (1 - middle)).sum())
    inside = max(0.0, float((weight * (share - middle) ** 2).sum()) - chance)
    between = float((weight * (middle - np.average(share, weights=weight)) ** 2).sum())
    return between / (between + inside) if between else 0.0
