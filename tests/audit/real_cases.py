"""Real files as use cases: the calls of a bank, and the defendants of ProPublica."""

from __future__ import annotations

from pathlib import Path

import duckdb

from pilotage.data import flow as data
from pilotage.platform.workspace import Workspace
from pilotage.usecase.flow import parse_definition
from pilotage.usecase.records import Definition
from tests.real_data import real_data

_TEXT = """
use_case: {name}
title: {name}
owner: owner@example.com
brief:
  workflow: Cases are looked at one after the other.
  users: Clerks
  decision: Look at it first.
  kpi: Hours
  value: {{currency: EUR, caught: 10, false_alarm: -2}}
sources:
  cases: {{files: {folder}/cases.parquet, key: [case_id], event_time: opened_at, known_at: opened_at}}
  results: {{files: {folder}/results.parquet, key: [case_id], event_time: known_at, known_at: known_at}}
decision:
  entity: case_id
  source: cases
  request:
{request}
outcome: {{source: results, positive: positive, says: happens, matures: {matures}}}
inputs:
{inputs}
rule: {{positive: {rule}, says: as today}}
policy:
  actions: {{positive: First, negative: Later}}
"""

# The file is in time order and names day and month only: where the month goes back, a year has passed.
_CALLS = """
WITH numbered AS (
  SELECT *, row_number() OVER () AS n,
         list_position(['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'], month) AS m
  FROM '{path}'
), dated AS (
  SELECT *, 2008 + CAST(sum(CAST(m < before AS INTEGER)) OVER (ORDER BY n) AS BIGINT) AS year
  FROM (SELECT *, coalesce(lag(m) OVER (ORDER BY n), 0) AS before FROM numbered)
)
SELECT 'c' || n AS case_id, y AS positive, * EXCLUDE (y, n, m, before, year, day, month),
       make_timestamp(year, CAST(m AS BIGINT), least(day, 28), 9, 0, CAST(0 AS DOUBLE)) + to_seconds(n % 20000)
       AS opened_at
FROM dated
"""
_DEFENDANTS = """
SELECT 'd' || row_number() OVER (ORDER BY id) AS case_id, two_year_recid = 1 AS positive, sex, race, age, priors_count,
       juv_fel_count, c_charge_desc, decile_score, r_offense_date, CAST(compas_screening_date AS TIMESTAMP) AS opened_at
FROM '{path}'
"""


def bank(work: Workspace, folder: Path) -> Definition:
    """45,211 calls, synced; whether the customer then saved."""
    numbers = ("age", "balance", "duration", "campaign", "pdays", "previous")
    texts = ("job", "marital", "education", "contact", "poutcome")
    kinds = {**dict.fromkeys(numbers, "number"), **dict.fromkeys(texts, "category"), "housing": "flag", "loan": "flag"}
    return _synced(work, folder, "bank_full", _CALLS, kinds, [], "previous > 0", "1 day")


def compas(work: Workspace, folder: Path) -> Definition:
    """7,214 defendants, synced; whether they were charged again within two years."""
    numbers = ("age", "priors_count", "juv_fel_count", "decile_score")
    kinds = {**dict.fromkeys(numbers, "number"), **dict.fromkeys(("sex", "race", "c_charge_desc"), "category")}
    return _synced(work, folder, "compas", _DEFENDANTS, kinds, ["r_offense_date"], "decile_score > 6", "730 days")


def _synced(
    work: Workspace,
    folder: Path,
    name: str,
    select: str,
    kinds: dict[str, str],
    afterwards: list[str],
    rule: str,
    matures: str,
) -> Definition:
    """``afterwards`` are columns that came with the outcome, as late as the file says."""
    with duckdb.connect() as engine:
        engine.execute(f"CREATE TABLE t AS {select.format(path=real_data(name))}")
        both = ", ".join(["case_id", "positive", *afterwards])
        engine.execute(f"COPY (SELECT * EXCLUDE ({both.removeprefix('case_id, ')}) FROM t) TO '{folder}/cases.parquet'")
        known = f"opened_at + INTERVAL {matures.removesuffix('s')} AS known_at"
        engine.execute(f"COPY (SELECT {both}, {known} FROM t) TO '{folder}/results.parquet'")
    request = "\n".join(f"    {column}: {{kind: {kind}, required: false}}" for column, kind in kinds.items())
    inputs = "\n".join(f"  {column}: request" for column in kinds)
    text = _TEXT.format(name=name, folder=folder, request=request, inputs=inputs, rule=rule, matures=matures)
    definition = parse_definition(text, f"{name}.yaml")
    data.sync(work, definition)
    return definition
