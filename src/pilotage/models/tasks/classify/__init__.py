"""Yes or no: the probability that the outcome is positive. One file per candidate, one row each."""

from __future__ import annotations

from pilotage.models.tasks.candidate import Candidate
from pilotage.models.tasks.classify import additive, boosted, logistic

CANDIDATES = (
    Candidate(
        name="logistic",
        title="Logistic regression",
        file="linear.json",
        libraries=("scikit-learn", "numpy"),
        train=logistic.train,
        read=logistic.LinearModel.decoded,
    ),
    Candidate(
        name="additive",
        title="Additive model",
        file="additive.json",
        libraries=("interpret-core", "numpy"),
        train=additive.train,
        read=additive.AdditiveModel.decoded,
    ),
    Candidate(
        name="boosted",
        title="Boosted trees",
        file="model.txt",
        libraries=("lightgbm", "numpy"),
        train=boosted.train,
        read=boosted.BoostedModel,
    ),
)
