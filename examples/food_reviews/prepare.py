"""Raw reviews of food, as they are.

python examples/food_reviews/prepare.py .cache/data/food_reviews.parquet FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb

_REVIEWS = """
SELECT product, review, score, split FROM (
  SELECT *, row_number() OVER () AS number FROM read_parquet('{data}')
) WHERE number % {every} = 0
"""


def prepare(data: Path, folder: Path, every: int = 1) -> None:
    """Write ``reviews``; every n-th only, for a try."""
    folder.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(config={"threads": 1}) as engine:  # rows stay in their order
        query = _REVIEWS.format(data=data, every=every)
        engine.execute(f"COPY ({query}) TO '{folder / 'reviews.parquet'}' (FORMAT parquet)")


if __name__ == "__main__":
    prepare(Path(sys.argv[1]), Path(sys.argv[2]))
