"""The nouns of a data contract. Their fields are the file's keys, their docstrings its JSON Schema's descriptions."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from pilotage.data.records import ColumnType
from pilotage.govern.records import Mask, Purpose, Sensitivity
from pilotage.usecase.records import Duration, Name

Severity = Literal["blocks", "warns"]
When = Literal["sync", "training", "decision"]


class _Part(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """A part of the file: immutable, unknown keys refused."""


class ColumnContract(_Part, frozen=True, kw_only=True):
    """What one column promises, and what it may be used for."""

    type: Annotated[ColumnType, Meta(description="What its values are.")]
    unit: Annotated[str, Meta(description="The unit of its numbers.")] = ""
    description: Annotated[str, Meta(description="What it means, in words.")] = ""
    required: Annotated[bool, Meta(description="Never empty.")] = False
    unique: Annotated[bool, Meta(description="No value twice among the newest rows of each key.")] = False
    min: Annotated[float | None, Meta(description="The least number.")] = None
    max: Annotated[float | None, Meta(description="The greatest number.")] = None
    categories: Annotated[list[str], Meta(description="All values there are; any when empty.")] = []
    pattern: Annotated[str, Meta(description="A regular expression (RE2) that each whole text matches.")] = ""
    sensitivity: Annotated[
        Sensitivity, Meta(description="How much harm a leak does; special: GDPR, articles 9 and 10.")
    ] = "internal"
    purposes: Annotated[
        tuple[Purpose, ...], Meta(description="What it may be used for: training, inference, logging, debugging.")
    ] = ("training", "inference", "logging", "debugging")
    mask: Annotated[
        Mask, Meta(description="How it is shown to those who may not see it: its ends, a pseudonym, not.")
    ] = "none"
    retention: Annotated[Duration | None, Meta(description="How long values may be kept; no limit if absent.")] = None
    severity: Annotated[Severity | None, Meta(description="What a breach does; as the contract's when absent.")] = None
    owner: Annotated[str, Meta(description="Who answers for this column; the contract's owner when empty.")] = ""


class Contract(_Part, frozen=True, kw_only=True):
    """What a source promises: one file per source, contracts/<source>.yaml beside the use-case file."""

    contract: Annotated[Name, Meta(description="The source that it is of.")]
    version: Annotated[str, Meta(description="Raised by its owner when promises change.")] = "1.0.0"
    owner: Annotated[str, Meta(description="Who promises: an address.")]
    description: Annotated[str, Meta(description="What a row is, in words.")] = ""
    severity: Annotated[Severity, Meta(description="What a breach does: warns is shown and kept, blocks stops.")] = (
        "warns"
    )
    freshness: Annotated[Duration | None, Meta(description="How old the newest known_at may be at a sync.")] = None
    columns: Annotated[dict[str, ColumnContract], Meta(description="What each column promises, by name.")]
    standard: Annotated[
        dict[str, Any], Meta(description="Parts of an imported Open Data Contract that are kept as they are.")
    ] = {}


class Protection(Struct, frozen=True):
    """What a contract should declare of a column that may hold personal data, and why. A hint, not a verdict."""

    sensitivity: Sensitivity
    purposes: tuple[Purpose, ...]
    mask: Mask
    why: str


class Violation(Struct, frozen=True):
    """A promise that was broken: which rule of which column, by how many rows, and who answers for it.

    ``rule`` is such as ``required``, ``unique``, ``range``, ``categories``, ``pattern``, ``type``, ``freshness``.
    ``keys`` names some of the rows by their key, masked as the contract says.
    """

    source: str
    column: str
    rule: str
    severity: Severity
    when: When
    rows: int
    of: int
    message: str
    owner: str
    keys: tuple[str, ...] = ()
    found_at: datetime | None = None
