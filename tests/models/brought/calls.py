"""Models trained elsewhere on the bank's calls, as their makers would export them, with examples of their answers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from pilotage.models.brought.examples import Examples, read_examples
from pilotage.models.brought.wanted import Wanted
from pilotage.usecase.records import ColumnKind, OutcomeKind
from tests.real_data import real_data

NUMBERS = ["age", "balance", "campaign", "previous"]
KINDS: dict[str, ColumnKind] = {**dict.fromkeys(NUMBERS, "number"), "job": "category", "housing": "category"}


def calls(rows: int = 2_000) -> pd.DataFrame:
    """Calls of the bank with whether the customer subscribed; every tenth age is missing."""
    columns = [*KINDS, "marital", "y"]
    every = pd.read_parquet(real_data("bank_full"), columns=columns)
    found = every.iloc[:: len(every) // rows].head(rows).reset_index(drop=True)
    found[NUMBERS] = found[NUMBERS].astype(float)
    found.loc[::10, "age"] = np.nan
    for name in ("housing", "y"):
        found[name] = np.where(found[name], "yes", "no")
    return found


def wanted(kind: OutcomeKind = "flag", names: list[str] | None = None, classes: tuple[str, ...] = ()) -> Wanted:
    """What a use case over these columns wants."""
    return Wanted(kind, {name: KINDS[name] for name in names or NUMBERS}, classes)


def examples(
    folder: Path, table: pd.DataFrame, expected: object, wants: Wanted, name: str = "examples.parquet"
) -> Examples:
    """Examples that were written to a file and read back."""
    rows = table[list(wants.columns)].copy()
    if isinstance(expected, dict):
        rows = rows.assign(**expected)
    else:
        rows["expected"] = expected
    path = folder / name
    match path.suffix:
        case ".parquet":
            rows.to_parquet(path, index=False)
        case ".csv":
            rows.to_csv(path, index=False)
        case ".jsonl":
            rows.to_json(path, orient="records", lines=True)
        case ".json":
            rows.to_json(path, orient="records")
    return read_examples(path, wants, "Candidate calls")
