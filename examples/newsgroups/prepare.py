"""The posts of twenty newsgroups, as they are.

python examples/newsgroups/prepare.py .cache/data/newsgroups.parquet FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb

_POSTS = """
SELECT category, text, split FROM (
  SELECT *, row_number() OVER () AS post FROM read_parquet('{data}')
) WHERE post % {every} = 0
"""


def prepare(data: Path, folder: Path, every: int = 1) -> None:
    """Write ``posts``; every n-th only, for a try."""
    folder.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(config={"threads": 1}) as engine:  # rows stay in their order
        query = _POSTS.format(data=data, every=every)
        engine.execute(f"COPY ({query}) TO '{folder / 'posts.parquet'}' (FORMAT parquet)")


if __name__ == "__main__":
    prepare(Path(sys.argv[1]), Path(sys.argv[2]))
