"""A small shop: orders are decided, visits are looked up, returns are the outcome."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pysqlite3

from pilotage.usecase.flow import parse_definition
from pilotage.usecase.records import Definition

TABLES = {
    "orders": "order_id TEXT, store TEXT, amount REAL, placed_at DATETIME, known_at DATETIME",
    "visits": "visit_id TEXT, store TEXT, score REAL, grade TEXT, happened_at DATETIME, known_at DATETIME",
    "returns": "order_id TEXT, returned INTEGER, known_at DATETIME",
}

TEXT = """
use_case: returns
title: Returned orders
owner: shop@example.com
data_owner: data@example.com

brief:
  workflow: Orders are packed as they come.
  users: Packers
  decision: Check an order before it is packed.
  kpi: Cost of returns
  value: {currency: EUR, caught: 10, false_alarm: -2}

sources:
  orders:
    database: env:SHOP
    table: orders
    key: [order_id]
    event_time: placed_at
    known_at: known_at
  visits:
    database: env:SHOP
    table: visits
    key: [visit_id]
    event_time: happened_at
    known_at: known_at
    owner: visits@example.com
  returns:
    database: env:SHOP
    table: returns
    key: [order_id]
    event_time: known_at
    known_at: known_at

decision:
  entity: order_id
  source: orders
  moment: placed_at
  request:
    store: {kind: category, required: false}
    amount: number
    placed_at: datetime

outcome:
  source: returns
  positive: returned > 0
  says: comes back
  matures: 1 day

inputs:
  amount: request
  store: request
  hour: {derived: EXTRACT(HOUR FROM placed_at)}
  last_score: {latest: visits, by: store, take: score, within: 3 hours}
  last_grade: {latest: visits, by: store, take: grade, kind: category, within: 1 day}
  visit_count: {windows: visits, by: store, take: score, aggregate: count, over: [2 hours, 1 day]}
  visit_mean: {windows: visits, by: store, take: score, aggregate: mean, over: [2 hours, 1 day]}
  visits: {windows: visits, by: store, aggregate: count, over: 2 hours}
  visit_sum: {windows: visits, by: store, take: score, aggregate: sum, over: 2 hours}
  visit_least: {windows: visits, by: store, take: score, aggregate: min, over: 2 hours}
  visit_most: {windows: visits, by: store, take: score, aggregate: max, over: 1 day}
  grades: {windows: visits, by: store, take: grade, aggregate: distinct, over: 2 hours}

rule:
  positive: last_score > 5
  says: the last visit scored above 5

policy:
  actions: {positive: Check, negative: Pack}
"""

WITH_STORES = TEXT.replace(
    "decision:\n",
    "  stores:\n    database: env:SHOP\n    table: stores\n    key: [store]\n    static: true\n\ndecision:\n",
    1,
).replace("  last_grade:", "  region: {latest: stores, by: store, take: region, kind: category}\n  last_grade:")
"""The shop with a list of its stores and their regions, which has no clocks."""


def shop(text: str = TEXT) -> Definition:
    """The use case of the shop."""
    return parse_definition(text, "shop.yaml")


def fill(path: Path, table: str, rows: Iterable[Sequence[Any]], columns: str = "") -> None:
    """Write rows into a table of the shop's SQLite database, making it where it is not there."""
    connection = pysqlite3.connect(str(path))
    connection.execute(f"CREATE TABLE IF NOT EXISTS {table} ({columns or TABLES[table]})")
    for row in rows:
        values = [stored(value) for value in row]
        connection.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(values))})", values)
    connection.commit()
    connection.close()


def stored(value: Any) -> Any:
    """A value as SQLAlchemy stores it in SQLite."""
    return value.strftime("%Y-%m-%d %H:%M:%S.%f") if isinstance(value, datetime) else value
