"""Contracts of the shop's sources, and a relation of rows to hold against them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import duckdb

from pilotage.data.contracts.checking import Rows, check
from pilotage.data.contracts.reading import parsed
from pilotage.data.contracts.records import Contract, Violation
from pilotage.platform.errors import InvalidFile, Problem

NOW = datetime(2013, 12, 5, 20, tzinfo=UTC)
ORDERS = """\
contract: orders
owner: orders@example.com
columns:
  order_id: {type: text, required: true, unique: true, pattern: "^o[0-9]+$"}
  store: {type: text, categories: [north, south, west]}
  amount: {type: number, min: 0, max: 100}
  placed_at: {type: datetime, required: true}
  known_at: {type: datetime, required: true}
"""
VISITS = """\
contract: visits
owner: visits@example.com
severity: blocks
columns:
  visit_id: {type: text, required: true}
  score: {type: number, min: 0, max: 8}
"""


def contract(text: str) -> Contract:
    return parsed(text, "contract.yaml")


def promise(columns: str, head: str = "") -> Contract:
    """A contract of these columns, each a line such as ``a: {type: number}``."""
    indented = "\n".join(f"  {line}" for line in columns.strip().splitlines())
    return contract(f"contract: things\nowner: things@example.com\n{head}columns:\n{indented}\n")


def mistakes(text: str) -> list[Problem]:
    """What is wrong with a contract's text."""
    try:
        parsed(text, "contract.yaml")
    except InvalidFile as error:
        return list(error.problems)
    return []


def broken(
    connection: duckdb.DuckDBPyConnection, promised: Contract, relation: str = "things", key: tuple[str, ...] = ("id",)
) -> dict[str, Violation]:
    """What a relation breaks, by ``column rule``."""
    rows = Rows(relation, key, "sync", "new rows")
    found = check(connection, promised, rows, lambda column, value: value, NOW)
    return {f"{each.column} {each.rule}": each for each in found}


def write(folder: Path, **texts: str) -> Path:
    """Contract files in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for source, text in texts.items():
        (folder / f"{source}.yaml").write_text(text)
    return folder
