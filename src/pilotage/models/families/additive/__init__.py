"""The additive glass box: one table of scores per column, learnt by boosting one column at a time."""

from __future__ import annotations

from pilotage.models.families.additive.form import AdditiveModel
from pilotage.models.families.additive.training import train
from pilotage.models.families.candidate import Candidate

ADDITIVE = Candidate(
    name="additive",
    titles={"flag": "Additive model", "category": "Additive model", "number": "Additive model"},
    libraries=("interpret-core", "numpy"),
    texts="topics",
    train=train,
    read=AdditiveModel.read,
    trials=({"bins": 32}, {"bins": 256}, {"bags": 4}, {"bins": 256, "bags": 4}),
)
