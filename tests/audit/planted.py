"""A clean shop in the engine, faults planted into it by SQL, and what the audit of its sources says."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import duckdb

from pilotage.audit.measured import Measured
from pilotage.audit.measuring.sources import measure_source
from pilotage.audit.measuring.systems import measure_systems
from pilotage.audit.records import Finding
from pilotage.audit.rules.findings import completeness, consistency, currency, duplicates
from pilotage.data.records import ColumnType, FoundColumn, Segment, Snapshot
from pilotage.usecase.flow import parse_definition
from pilotage.usecase.records import Definition

DAYS = 84
ROWS = 20_000
# A Friday sees more orders than a Sunday; the shop opens at eight and closes at eight.
CLEAN = f"""
SELECT setseed(0.25);
CREATE TABLE orders AS
WITH drawn AS (
    SELECT n, TIMESTAMP '2024-01-01' + to_days(CAST(floor({DAYS} * n / {ROWS}) AS INTEGER)) AS day,
        random() AS a, random() AS b, random() AS c, random() AS d, random() AS e, random() AS f
    FROM range({ROWS}) rows(n)),
shaped AS (
    SELECT *, day + INTERVAL 8 HOUR + to_seconds(CAST(43200 * (a + b) / 2 AS INTEGER)) AS placed_at FROM drawn)
SELECT 'A' || (100000 + n) AS order_id,
    ['north', 'south', 'west', 'east side'][1 + CAST(floor(4 * sqrt(c)) AS INTEGER)] AS store,
    (10000 + CAST(300 * d * d AS INTEGER)) || ['', 'A', 'B'][1 + CAST(floor(3 * e * e) AS INTEGER)] AS product,
    CAST(1 + floor(9 * d * e) AS BIGINT) AS quantity,
    round(3 + 60 * exp(b * 1.5) * f, 2) AS price,
    round(20 + 15 * (c + d + e), 1) AS parcel_weight,
    'Mr ' || chr(65 + CAST(floor(26 * a) AS INTEGER)) || '. ' || chr(65 + CAST(floor(26 * b) AS INTEGER)) ||
        'ersson' || n AS customer_name,
    d < 0.3 AS gift, NULL AS returned, placed_at,
    placed_at + to_seconds(CAST(30 + 240 * e AS INTEGER)) AS known_at,
    placed_at + to_seconds(CAST(86400 * (1 + 2 * f) AS INTEGER)) AS shipped_at,
    placed_at AS ordered_at
FROM shaped;
CREATE TABLE ledger AS SELECT order_id, store, price, placed_at, known_at + INTERVAL 1 MINUTE AS known_at FROM orders;
CREATE TABLE returns AS SELECT order_id, CAST(n % 5 = 0 AS BIGINT) AS returned, placed_at + INTERVAL 9 DAY AS known_at
FROM (SELECT order_id, placed_at, row_number() OVER () AS n FROM orders WHERE placed_at < TIMESTAMP '2024-03-16');
ALTER TABLE orders DROP returned;
"""

TEXT = """
use_case: returns
title: Returned orders
owner: shop@example.com

brief:
  workflow: Orders are packed as they come.
  users: Packers
  decision: Check an order before it is packed.
  kpi: Cost of returns
  value: {currency: EUR, caught: 10, false_alarm: -2}

sources:
  orders: {files: orders.parquet, key: [order_id], event_time: placed_at, known_at: known_at, owner: orders@example.com}
  ledger: {files: ledger.parquet, key: [order_id], event_time: placed_at, known_at: known_at}
  returns: {files: returns.parquet, key: [order_id], event_time: known_at, known_at: known_at}

decision:
  entity: order_id
  source: orders
  moment: placed_at
  request: {store: category, product: category, quantity: number, price: number, parcel_weight: number,
    placed_at: datetime, shipped_at: datetime, gift: flag, customer_name: category}

outcome: {source: returns, positive: returned > 0, says: comes back, matures: 1 day}
inputs: {store: request, quantity: request, price: request}
rule: {positive: price > 100, says: it is expensive}
policy: {actions: {positive: Check, negative: Pack}}
"""

_TYPES: dict[str, ColumnType] = {
    "BIGINT": "number",
    "INTEGER": "number",
    "DOUBLE": "number",
    "VARCHAR": "text",
    "TIMESTAMP": "datetime",
    "BOOLEAN": "flag",
}


def shop_engine() -> duckdb.DuckDBPyConnection:
    """A fresh engine with the clean shop."""
    engine = duckdb.connect(":memory:", config={"threads": 1})
    engine.execute(CLEAN)
    return engine


def snapshot(engine: duckdb.DuckDBPyConnection, name: str, known_at: str = "known_at") -> Snapshot:
    """What a sync would say of a table in the engine."""
    found = engine.execute(f'DESCRIBE "{name}"').fetchall()
    columns = tuple(FoundColumn(row[0], _TYPES[row[1]], row[1]) for row in found)
    last = engine.execute(f'SELECT max("{known_at}") FROM "{name}" WHERE "{known_at}" < now()').fetchall()[0][0]
    last = last or datetime.fromisoformat("2024-04-01")
    rows = engine.execute(f'SELECT count(*) FROM "{name}"').fetchall()[0][0]
    return Snapshot(name, "v", (), known_at, columns, (Segment("d", rows, None, last.replace(tzinfo=UTC)),))


def judged(engine: duckdb.DuckDBPyConnection, text: str = TEXT, only: Sequence[str] = ()) -> list[Finding]:
    """The findings of these four topics on a use case's sources, as they lie in the engine."""
    definition = parse_definition(text, "shop.yaml")
    names = only or list(definition.use_case.sources)
    found = {name: snapshot(engine, name, definition.use_case.sources[name].known_at) for name in names}
    measured = figures(engine, definition, found)
    topics = (completeness, currency, duplicates, consistency)
    return [finding for topic in topics for finding in topic.found(definition, measured)]


def figures(engine: duckdb.DuckDBPyConnection, definition: Definition, found: dict[str, Snapshot]) -> Measured:
    """What is measured of sources alone."""
    sources = definition.use_case.sources
    parts: dict[str, Any] = {
        "sources": {name: measure_source(engine, sources[name], snapshot) for name, snapshot in found.items()},
        "systems": measure_systems(engine, definition, found),
        "decisions": SimpleNamespace(input_completeness={}, decisions=0),
        "syncing": {},
        "written_late": {},
        "newest": max(snapshot.known_to for snapshot in found.values() if snapshot.known_to),
    }
    return cast("Measured", SimpleNamespace(**parts))


def planted(fault: str, only: Sequence[str] = ("orders",), text: str = TEXT) -> list[Finding]:
    """The findings on these sources after a fault was written into the clean shop by SQL."""
    engine = shop_engine()
    engine.execute(fault)
    return judged(engine, text, only)


def named(findings: Sequence[Finding]) -> set[tuple[str, str, str]]:
    """Code, source and column of each finding."""
    return {(finding.code, finding.source, finding.column) for finding in findings}


def one(findings: Sequence[Finding], code: str, column: str | None = None) -> Finding:
    """The only finding of this kind."""
    chosen = [f for f in findings if f.code == code and column in (None, f.column)]
    assert len(chosen) == 1, [(f.code, f.source, f.column, f.message) for f in findings]
    return chosen[0]
