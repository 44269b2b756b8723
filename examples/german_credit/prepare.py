"""The applications of the German credit data, with the groups that the bias limit is about.

python examples/german_credit/prepare.py .cache/data/german_credit.parquet FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb

_APPLICATIONS = """
SELECT status AS checking_account, savings, duration AS months, credit_amount AS amount,
       installment_rate AS instalment_rate, purpose, credit_history AS history, present_employment AS employed_for,
       other_debtors AS guarantors, property, installment_plans AS other_plans, housing,
       number_of_existing_credits AS existing_credits, credit, trim(split_part(status_sex, ':', 1)) AS sex,
       CASE WHEN age <= 25 THEN 'up to 25' ELSE 'over 25' END AS age_group
FROM read_parquet('{data}')
"""


def prepare(data: Path, folder: Path, every: int = 1) -> None:
    """Write ``applications``: they are so few that a try takes them all."""
    folder.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(config={"threads": 1}) as engine:  # rows stay in their order
        query = _APPLICATIONS.format(data=data)
        engine.execute(f"COPY ({query}) TO '{folder / 'applications.parquet'}' (FORMAT parquet)")


if __name__ == "__main__":
    prepare(Path(sys.argv[1]), Path(sys.argv[2]))
