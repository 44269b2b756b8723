"""One way to score a file, in a process of its own; the last line says how long it took and its peak memory.

python -m benchmarks.batch_work lightgbm|scored|recorded FOLDER FILE THREADS
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.batch_home import NAME, NAMES

BATCH_ROWS = 20_000
_SCORED = pa.schema([("id", pa.string()), ("probability", pa.float64())])


def lightgbm(folder: Path, threads: int) -> Callable[[pa.Table], np.ndarray]:
    """The booster's own prediction of a matrix."""
    import lightgbm as library

    booster = library.Booster(model_file=str(folder / "model.txt"))

    def predict(table: pa.Table) -> np.ndarray:
        matrix = np.column_stack([table[name].to_numpy() for name in NAMES])
        return np.asarray(booster.predict(matrix, num_threads=threads))

    return predict


def scored(folder: Path, threads: int) -> Callable[[pa.Table], np.ndarray]:
    """The scorer that answers, as it is loaded for answering."""
    from pilotage.models import flow as modelling
    from pilotage.platform.settings import Settings
    from pilotage.platform.workspace import open_workspace

    work = open_workspace(Settings(home=folder / "home"))
    artefact, signature = (folder / "version").read_text().splitlines()
    return modelling.load_artefact(work, artefact, signature).score_table


def through(predict: Callable[[pa.Table], np.ndarray], file: Path, out: Path) -> None:
    """From Parquet to Parquet, some rows at a time."""
    with pq.ParquetWriter(out, _SCORED) as writer:
        for batch in pq.ParquetFile(file).iter_batches(BATCH_ROWS, columns=["id", *NAMES]):
            table = pa.Table.from_batches([batch])
            writer.write_table(pa.table([table["id"], predict(table)], schema=_SCORED))


def main(way: str, folder: Path, file: Path, threads: int) -> None:
    out = folder / f"{way}.parquet"
    if way == "recorded":
        from pilotage.cli.main import run

        os.environ["PILOTAGE_HOME"] = str(folder / "home")
        began = time.perf_counter()
        if code := run(["batch", NAME, "--file", str(file), "--to", str(out)]):
            raise SystemExit(code)
    else:
        predict = {"lightgbm": lightgbm, "scored": scored}[way](folder, threads)
        began = time.perf_counter()
        through(predict, file, out)
    seconds = time.perf_counter() - began
    print(json.dumps({"seconds": seconds, "peak_mb": peak_mb()}))


def peak_mb() -> float:
    """The highest resident memory of this program; ``getrusage`` would tell its parent's, where that was higher."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]))
