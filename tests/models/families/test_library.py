"""LightGBM's library alone reads and scores what its Python package made, to the last bit."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import lightgbm
import numpy as np
import pytest

from pilotage.models.families.boosted.library import FastRow, Trees, UnreadableTrees

ROWS = np.random.default_rng(5).normal(size=(400, 3))


def taught(**parameters: object) -> lightgbm.Booster:
    labels = (ROWS[:, 0] * ROWS[:, 1] > 0).astype(float) + (ROWS[:, 2] > 1 if "num_class" in parameters else 0)
    return lightgbm.train({"verbosity": -1, "num_threads": 1, **parameters}, lightgbm.Dataset(ROWS, labels), 20)


@pytest.mark.parametrize(
    ("parameters", "outputs"), [({"objective": "binary"}, 1), ({"objective": "multiclass", "num_class": 3}, 3)]
)
def test_it_says_what_the_package_says(parameters: dict[str, object], outputs: int) -> None:
    booster = taught(**parameters)
    rows = ROWS.copy()
    rows[::7] = np.nan
    trees = Trees(booster.model_to_string(), outputs)
    margins = booster.predict(rows, raw_score=True).reshape(len(rows), outputs)
    assert (trees.margins(rows, threads=2) == margins).all()
    assert (trees.contributions(rows) == booster.predict(rows, pred_contrib=True)).all()
    for is_held in (True, False):
        fast = FastRow(trees, is_held=is_held)
        assert all(list(fast(row)) == said for row, said in zip(rows.tolist(), margins.tolist(), strict=True))
    assert trees.margins(rows[:0], threads=1).shape == (0, outputs)


def test_what_it_cannot_read_or_has_no_room_for_is_refused() -> None:
    text = taught(objective="multiclass", num_class=3).model_to_string()
    for spoilt, outputs in (("rubbish", 1), (text, 1)):
        with pytest.raises(UnreadableTrees):
            Trees(spoilt, outputs)
    with pytest.raises(UnreadableTrees, match="3 slots a row"):
        Trees(text, 3).margins(ROWS[:, :2], threads=1)


def test_who_only_answers_loads_nothing_that_training_needs(tmp_path: Path) -> None:
    model = tmp_path / "model.txt"
    model.write_text(taught(objective="binary").model_to_string())
    code = (
        "import sys; from pathlib import Path; from pilotage.models.families import family; "
        f"trees = family('boosted').read({{'model.txt': Path({str(model)!r}).read_bytes()}}, 1); "
        "print(len(trees.base), [name for name in ('lightgbm', 'sklearn', 'pandas', 'scipy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert (done.stdout, done.stderr) == ("1 []\n", "")
