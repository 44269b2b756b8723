"""Boosted trees by LightGBM, with categories as they are."""

from __future__ import annotations

from pilotage.models.families.boosted.form import TreesModel
from pilotage.models.families.boosted.training import train
from pilotage.models.families.candidate import Candidate

BOOSTED = Candidate(
    name="boosted",
    titles={"flag": "Boosted trees", "category": "Boosted trees", "number": "Boosted trees"},
    libraries=("lightgbm", "numpy"),
    texts="topics",
    train=train,
    read=TreesModel.read,
    trials=(
        {"leaves": 15, "rate": 0.05},
        {"leaves": 63, "rate": 0.05},
        {"leaves": 31, "rate": 0.02},
        {"leaves": 7, "rate": 0.1},
        {"leaves": 31, "rate": 0.05, "columns": 0.6},
        {"leaves": 15, "rate": 0.02, "columns": 0.6},
        {"leaves": 127, "rate": 0.03, "columns": 0.6},
    ),
)
