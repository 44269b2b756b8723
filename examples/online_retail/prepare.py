"""From invoices to a decision per customer and month, with what came after it.

The lines stay raw: all windows are made by the product. Customers are looked at once a month, each on the day that its
number says, as letters are spread over a month; those who bought within the year before.

python examples/online_retail/prepare.py .cache/data/online_retail.parquet FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb

_LINES = """
CREATE TABLE lines AS
SELECT *, round(Quantity * Price, 2) AS amount FROM read_parquet('{data}')
WHERE "Customer ID" IS NOT NULL AND "Customer ID" % {every} = 0
"""
_PURCHASES = """
CREATE TABLE purchases AS
SELECT DISTINCT "Customer ID" AS customer, InvoiceDate AS bought_at FROM lines WHERE Quantity > 0
"""
_DUE = """
CREATE TABLE due AS
WITH days AS (
  SELECT customer, country, CAST(month + to_days(CAST(customer // {every} % 28 AS INTEGER)) AS TIMESTAMP) AS due_on
  FROM (SELECT "Customer ID" AS customer, any_value(Country ORDER BY InvoiceDate) AS country FROM lines GROUP BY ALL),
       (SELECT unnest(range(TIMESTAMP '2010-06-01', TIMESTAMP '2011-12-01', INTERVAL 1 MONTH)) AS month)
)
SELECT d.customer || '-' || strftime(due_on, '%Y-%m') AS decision_id, d.customer, country, due_on
FROM days d ASOF JOIN purchases p ON d.customer = p.customer AND d.due_on >= p.bought_at
WHERE due_on - p.bought_at < INTERVAL 365 DAY AND due_on <= (SELECT max(bought_at) FROM purchases)
"""
_BOUGHT = """
SELECT decision_id, due_on, due_on + INTERVAL 90 DAY AS known_at, p.bought_at AS next_purchase
FROM due d ASOF LEFT JOIN purchases p ON d.customer = p.customer AND d.due_on < p.bought_at
WHERE due_on + INTERVAL 90 DAY <= (SELECT max(bought_at) FROM purchases) ORDER BY decision_id
"""
_WRITTEN = {
    "lines": "FROM lines ORDER BY InvoiceDate, Invoice, StockCode, Quantity, Price, Description",
    "due": "FROM due ORDER BY due_on, decision_id",
    "bought": _BOUGHT,
}


def prepare(data: Path, folder: Path, every: int = 1) -> None:
    """Write ``lines``, ``due`` and ``bought``; of every n-th customer only, for a try."""
    folder.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as engine:
        for statement in (_LINES, _PURCHASES, _DUE):
            engine.execute(statement.format(data=data, every=every))
        for name, select in _WRITTEN.items():
            engine.execute(f"COPY ({select}) TO '{folder / name}.parquet' (FORMAT parquet)")


if __name__ == "__main__":
    prepare(Path(sys.argv[1]), Path(sys.argv[2]))
