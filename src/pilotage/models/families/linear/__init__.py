"""Linear models: one weight per number, missing value, category and word; logistic for flags and categories."""

from __future__ import annotations

from pilotage.models.families.candidate import Candidate
from pilotage.models.families.linear.form import LinearModel
from pilotage.models.families.linear.training import train

LINEAR = Candidate(
    name="linear",
    titles={
        "flag": "Logistic regression",
        "category": "Multinomial logistic regression",
        "number": "Linear regression",
    },
    libraries=("scikit-learn", "numpy"),
    texts="words",
    train=train,
    read=LinearModel.read,
    trials=({"strength": 0.1}, {"strength": 10.0}, {"strength": 0.01}, {"strength": 100.0}),
)
