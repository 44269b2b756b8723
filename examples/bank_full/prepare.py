"""The calls of a bank as its software would keep them: who was to be called on a day, and what came of it.

The raw file has day and month, no year; its rows are in time order, so the year changes where months begin again.
A call's result, and how long it took, are entered in the evening: they are in a table of their own.

python examples/bank_full/prepare.py .cache/data/bank_full.parquet FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb

_DATED = """
CREATE TABLE dated AS
WITH numbered AS (
  SELECT *, row_number() OVER () AS call_id, list_position(string_split('{months}', ' '), month) AS month_number
  FROM read_parquet('{data}')
), turned AS (
  SELECT *, CAST(month_number < lag(month_number, 1, 0) OVER (ORDER BY call_id) AS INTEGER) AS turns FROM numbered
)
SELECT *, CAST(make_date(2008 + CAST(sum(turns) OVER (ORDER BY call_id) AS INTEGER), CAST(month_number AS INTEGER),
                         CAST(day AS INTEGER)) AS TIMESTAMP) AS called_on
FROM turned
"""
_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec"
_CALLS = """
SELECT call_id, called_on, age, job, marital, education, balance, "default" AS in_default, housing, loan, contact,
       campaign, nullif(pdays, -1) AS days_since, previous, poutcome AS last_outcome
FROM dated WHERE call_id % {every} = 0 ORDER BY call_id
"""
_RESULTS = """
SELECT call_id, called_on, called_on + INTERVAL 20 HOUR AS entered_on, contact, poutcome AS last_outcome,
       duration, y AS subscribed
FROM dated WHERE call_id % {every} = 0 ORDER BY call_id
"""


def prepare(data: Path, folder: Path, every: int = 1) -> None:
    """Write ``calls`` and ``results`` of the raw calls; of every n-th call only, for a try."""
    folder.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(config={"threads": 1}) as engine:  # rows stay in their order
        engine.execute(_DATED.format(months=_MONTHS, data=data))
        for name, select in (("calls", _CALLS), ("results", _RESULTS)):
            engine.execute(f"COPY ({select.format(every=every)}) TO '{folder / name}.parquet' (FORMAT parquet)")


if __name__ == "__main__":
    prepare(Path(sys.argv[1]), Path(sys.argv[2]))
