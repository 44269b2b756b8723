"""The people of ProPublica's two-year file: what was known at the screening, and two years later what came of it.

Ages are those of the screening day: the file has them of the day on which it was made.

python examples/compas/prepare.py .cache/data/compas.parquet FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb

_SCREENINGS = """
SELECT id, CAST(compas_screening_date AS TIMESTAMP) AS screened_on, sex, race,
       date_sub('year', dob, compas_screening_date) AS age, priors_count, juv_fel_count AS juvenile_felonies,
       juv_misd_count AS juvenile_misdemeanours, juv_other_count AS juvenile_others, c_charge_degree AS charge_degree,
       c_charge_desc AS charge, decile_score
FROM read_parquet('{data}') WHERE id % {every} = 0 ORDER BY id
"""
_ARRESTS = """
SELECT id, CAST(compas_screening_date AS TIMESTAMP) AS screened_on, two_year_recid,
       CAST(compas_screening_date + INTERVAL 730 DAY AS TIMESTAMP) AS known_at
FROM read_parquet('{data}') WHERE id % {every} = 0 ORDER BY id
"""


def prepare(data: Path, folder: Path, every: int = 1) -> None:
    """Write ``screenings`` and ``arrests``; of every n-th person only, for a try."""
    folder.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as engine:
        for name, select in (("screenings", _SCREENINGS), ("arrests", _ARRESTS)):
            query = select.format(data=data, every=every)
            engine.execute(f"COPY ({query}) TO '{folder / name}.parquet' (FORMAT parquet)")


if __name__ == "__main__":
    prepare(Path(sys.argv[1]), Path(sys.argv[2]))
