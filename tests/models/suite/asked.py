"""Models with one fault each, and what they are asked: loans, small enough to see through."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from pilotage.models.suite.subject import Outputs, Subject, deciding
from pilotage.usecase.flow import parse_definition
from pilotage.usecase.records import Definition

ROWS = 400
FILE = """
use_case: loans
title: Loans
owner: owner@bank.example
brief:
  workflow: Somebody decides on loans.
  users: Clerks
  decision: Give the loan or not.
  kpi: Losses
  value: VALUE
sources:
  loans: {files: loans.csv, key: [loan], event_time: at, known_at: at}
decision:
  entity: loan
  source: loans
  request:
    amount: number
    age: {kind: number, personal: true}
    sex: category
    channel: category
    at: datetime
outcome: OUTCOME
inputs: {amount: request, age: request, sex: request, channel: request, at: request}
rule: RULE
policy: POLICY
groups: [sex]
candidates: {monotone: {amount: rises}}
FAIRNESS
"""
FLAG = {
    "OUTCOME": "{source: loans, positive: lost, says: is lost}",
    "RULE": '{positive: "amount > 60", says: it is large}',
    "POLICY": "{actions: {positive: Look, negative: Pay}, default: negative}",
    "VALUE": "{currency: EUR, caught: 10, false_alarm: -5}",
    "FAIRNESS": "fairness: {by: [sex], ratio: 0.8}",
}
NUMBER = {
    "OUTCOME": "{source: loans, number: days, says: days late, unit: days}",
    "RULE": '{number: "amount / 2", says: half}',
    "POLICY": "{default: 0}",
    "VALUE": "{currency: EUR, too_low: -1, too_high: -2}",
    "FAIRNESS": "",
}
CATEGORY = {
    "OUTCOME": "{source: loans, category: team, says: the team}",
    "RULE": "{category: \"CASE WHEN amount > 50 THEN 'a' ELSE 'b' END\", says: by amount}",
    "POLICY": "{confidence: 0.4, default: a}",
    "VALUE": "{currency: EUR, right: 1, wrong: -3}",
    "FAIRNESS": "",
}
Outcome = Mapping[str, str]
Says = Callable[[pa.Table], np.ndarray]


def definition(kind: Outcome = FLAG) -> Definition:
    """The loans' file for an outcome of this kind."""
    text = FILE
    for name, value in kind.items():
        text = text.replace(name, value)
    return parse_definition(text, "loans.yaml")


def rows(seed: int = 1) -> pa.Table:
    """Loans, with everything the file names; the label is whether the amount is large, with some noise."""
    random = np.random.default_rng(seed)
    amount = random.uniform(0, 100, ROWS)
    return pa.table(
        {
            "amount": amount,
            "age": random.integers(20, 80, ROWS),
            "sex": random.choice(["f", "m"], ROWS),
            "channel": random.choice(["web", "Web", "branch", "branch", "branch"], ROWS),
            "at": pa.array(np.datetime64("2024-01-01T00:00:00", "us") + np.arange(ROWS) * np.timedelta64(3600, "s")),
            "label": amount + random.normal(0, 20, ROWS) > 55,
        }
    )


@dataclass
class Faulty:
    """Answers as the test wants."""

    says: Says
    kind: str = "flag"
    output_names: tuple[str, ...] = ("probability",)

    def outputs(self, table: pa.Table) -> Outputs:
        return np.asarray(self.says(table), dtype=np.float64).reshape(table.num_rows, -1)


def numbers(table: pa.Table, column: str, missing: float = 50.0) -> np.ndarray:
    """A column of numbers in which nothing is missing or infinite."""
    values = np.array(table[column].cast(pa.float64()).to_numpy(), dtype=np.float64)
    return np.where(np.isfinite(values), values, missing)


def sound(table: pa.Table) -> np.ndarray:
    """A model without a fault: the larger the amount, the likelier."""
    return 1 / (1 + np.exp(-np.clip((numbers(table, "amount") - 50) / 10, -30, 30)))


def asked(says: Says = sound, kind: Outcome = FLAG, **changed: Any) -> Subject:
    """A model and the loans that it is asked about."""
    found, held_out = definition(kind), rows(2)
    of = "number" if kind is NUMBER else "category" if kind is CATEGORY else "flag"
    names = ("a", "b") if of == "category" else ("value",) if of == "number" else ("probability",)
    model = Faulty(says, of, names)
    learnt = rows(1)
    if of == "number":
        learnt = learnt.set_column(5, "label", pa.array(numbers(learnt, "amount")))

    def single(values: Mapping[str, Any]) -> float:
        table = pa.Table.from_pylist([dict(values)], held_out.select(list(found.plan.names)).schema)
        outputs = model.outputs(table)
        return float(outputs.max() if of == "category" else outputs[0, 0])

    given = {
        "definition": found,
        "model": model,
        "held_out": held_out.select(list(found.plan.names)),
        "learnt": learnt,
        "decide": deciding(found, of, 0.5),
        "single": single,
    }
    return Subject(**{**given, **changed})
