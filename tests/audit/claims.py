"""An insurer's claims, made up: decided when they are filed, by branch, amount, age and what is known of the customer.

Numbers are drawn with a seed; the outcome follows the inputs by chance. A test changes the columns before they are
written, plants one fault, and asks what the audit's measuring and rules of decisions say.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pilotage.audit.measured import Measured
from pilotage.audit.measured.groups import GroupFigures
from pilotage.audit.measured.personal import PersonalFigures
from pilotage.audit.measured.systems import SystemsFigures
from pilotage.audit.measuring.availability import measure_availability
from pilotage.audit.measuring.decisions import measure_decisions
from pilotage.audit.measuring.keys import measure_keys
from pilotage.audit.measuring.outcomes import measure_outcomes
from pilotage.audit.records import Finding
from pilotage.audit.rules.costs import with_costs
from pilotage.audit.rules.findings import keys, label, leakage, real_time
from pilotage.data import flow as data
from pilotage.platform.workspace import Workspace
from pilotage.usecase.flow import parse_definition
from pilotage.usecase.records import Definition

Column = NDArray[Any]
START = np.datetime64("2013-03-01T00:00:00")
SECOND = np.timedelta64(1, "s")
TOPICS = (leakage, label, keys, real_time)

TEXT = """
use_case: claims
title: Claims
owner: claims@example.com
data_owner: data@example.com
brief:
  workflow: Claims are paid as they come.
  users: Clerks
  decision: Look at a claim before it is paid.
  kpi: Wrongly paid claims
  value: {currency: EUR, caught: 10, false_alarm: -2}
sources:
  claims: {files: FOLDER/claims.parquet, key: [claim_id], event_time: filed_at, known_at: filed_at}
  results: {files: FOLDER/results.parquet, key: [claim_id], event_time: known_at, known_at: known_at}
  customers:
    {files: FOLDER/customers.parquet, key: [row_id], event_time: since, known_at: known_at, owner: crm@example.com}
decision:
  entity: claim_id
  source: claims
  request:
    customer: {kind: category, required: false}
    branch: {kind: category, required: false}
    amount: {kind: number, required: false}
    age: {kind: number, required: false}
outcome:
  source: results
  positive: refused > 0
  says: is refused
  matures: 3 days
inputs:
  branch: request
  amount: request
  age: request
  rating: {latest: customers, by: customer, take: rating, within: 3000 days}
rule:
  positive: amount > 1000
  says: above 1,000
policy:
  actions: {positive: Look, negative: Pay}
"""


@dataclass
class Claims:
    """The tables as columns; ``text`` is the use-case file."""

    claims: dict[str, Column]
    results: dict[str, Column]
    customers: dict[str, Column]
    random: np.random.Generator
    text: str = TEXT
    more: dict[str, dict[str, Column]] = field(default_factory=dict)

    @property
    def refused(self) -> NDArray[np.bool_]:
        flags: NDArray[np.bool_] = self.results["refused"] > 0
        return flags

    def some(self, share: float, among: NDArray[np.bool_] | None = None) -> NDArray[np.intp]:
        """A random share of the claims, of those ``among``."""
        rows = np.arange(len(self.refused)) if among is None else np.flatnonzero(among)
        return self.random.choice(rows, max(1, int(share * len(rows))), replace=False)

    def request(self, name: str, kind: str) -> None:
        """The app sends another column, which is an input."""
        self.text = self.text.replace(
            "    age: {kind", f"    {name}: {{kind: {kind}, required: false}}\n    age: {{kind", 1
        )
        self.text = self.text.replace("  age: request", f"  age: request\n  {name}: request")


def claims(seed: int, rows: int = 6_000) -> Claims:
    """Clean tables: 180 days of claims, of which about one in five is refused."""
    random = np.random.default_rng(seed)
    filed = np.sort(random.integers(0, 180 * 86_400, rows))
    at = START + filed * SECOND
    customers = random.zipf(1.4, rows) % 1_500
    people = np.unique(customers)
    rating = np.round(random.normal(50, 15, len(people)), 1)
    amount = np.round(random.lognormal(6, 1, rows), 2)
    branch = random.choice(list("ABCDEFGH"), rows)
    age = random.integers(18, 90, rows).astype(float)
    score = 0.9 * (np.log(amount) - 6) + 0.03 * (50 - rating[np.searchsorted(people, customers)]) - 1.7
    score += np.where(branch == "C", 0.9, 0) + 0.01 * (50 - age)
    refused = random.random(rows) < 1 / (1 + np.exp(-score))
    ids = np.array([f"{number:08x}" for number in random.choice(2**32, rows, replace=False)])
    return Claims(
        claims={
            "claim_id": ids,
            "customer": np.array([f"{number:05d}" for number in customers]),
            "branch": branch,
            "amount": amount,
            "age": age,
            "filed_at": at,
        },
        results={
            "claim_id": ids.copy(),
            "refused": refused.astype(np.int64),
            "known_at": at + random.integers(3600, 2 * 86_400, rows) * SECOND,
        },
        customers={
            "row_id": np.arange(len(people)),
            "customer": np.array([f"{number:05d}" for number in people]),
            "rating": rating,
            "since": np.full(len(people), np.datetime64("2012-01-01T00:00:00")),
            "known_at": np.full(len(people), np.datetime64("2012-01-02T00:00:00")),
        },
        random=random,
    )


def audited(work: Workspace, tables: Claims, folder: Path) -> tuple[Measured, tuple[Finding, ...]]:
    """What is measured of the decisions, and the findings on it with their costs."""
    folder.mkdir(exist_ok=True)
    for name in ("claims", "results", "customers"):
        write(folder / f"{name}.parquet", getattr(tables, name))
    for name, columns in tables.more.items():
        write(folder / f"{name}.parquet", columns)
    definition = parse_definition(tables.text.replace("FOLDER", str(folder)), "claims.yaml")
    data.sync(work, definition)
    return judged(work, definition)


def judged(work: Workspace, definition: Definition) -> tuple[Measured, tuple[Finding, ...]]:
    """Measure and judge a use case that is synced; only what concerns its decisions."""
    found = data.current_snapshots(work, definition)
    with data.assembled(work, definition, found) as engine:
        decisions = measure_decisions(engine, definition)
        outcomes = measure_outcomes(engine, definition, found)
        measured = Measured(
            sources={},
            systems=SystemsFigures(),
            decisions=decisions,
            leakage=outcomes.leakage,
            personal=PersonalFigures(),
            groups=GroupFigures(),
            newest=datetime.now(UTC),
            keys=measure_keys(engine, definition, found),
            label=outcomes.label,
            reference=outcomes.reference,
            availability=measure_availability(engine, definition, decisions.input_completeness),
        )
    findings = [finding for topic in TOPICS for finding in topic.found(definition, measured)]
    return measured, with_costs(findings, measured, definition)


def named(findings: tuple[Finding, ...], code: str) -> dict[str, Finding]:
    """The findings of a kind by their column."""
    return {finding.column: finding for finding in findings if finding.code == code}


def serious(findings: tuple[Finding, ...]) -> set[tuple[str, str]]:
    """Kind and column of what blocks or warns."""
    return {(finding.code, finding.column) for finding in findings if finding.severity != "informs"}


def write(path: Path, columns: dict[str, Column]) -> None:
    """A Parquet file; a text that is None is missing, and so is a number that is NaN."""
    arrays = {}
    for name, values in columns.items():
        arrays[name] = pa.array(values.tolist() if values.dtype == object else values, from_pandas=True)
    pq.write_table(pa.table(arrays), path)
