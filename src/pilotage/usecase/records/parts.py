"""What the parts of a use-case file are written in: names, expressions, spans of time."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

Name = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,62}$", description="Lower-case letters, digits, underscores.")]
Identifier = Annotated[str, Meta(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,62}$", description="Letters, digits, underscores.")]
Expression = Annotated[str, Meta(min_length=1, max_length=2000, description="A scalar SQL expression.")]
Duration = Annotated[
    str,
    Meta(pattern=r"^[1-9][0-9]{0,4} (minute|hour|day)s?$", description="Such as '90 minutes' or '7 days'."),
]
Text = Annotated[str, Meta(min_length=1, max_length=2000)]
SourceColumn = Annotated[str, Meta(description="A column's name, as its source has it.")]
ColumnKind = Literal["number", "category", "datetime", "flag", "text"]
OutcomeKind = Literal["flag", "category", "number"]
Risk = Literal["minimal", "limited", "high"]
Aggregate = Literal["count", "sum", "mean", "std", "min", "max", "distinct", "share", "since"]


class Part(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """A part of the file: immutable, unknown keys refused."""


def seconds(duration: str) -> int:
    """A duration such as '6 hours' in seconds."""
    count, unit = duration.split()
    return int(count) * {"minute": 60, "hour": 3600, "day": 86_400}[unit.rstrip("s")]


def listed(value: str | list[str] | dict[str, str]) -> list[str]:
    """A list, where the file may say one thing, several, or several with their words."""
    return [value] if isinstance(value, str) else list(value)


def key_of(by: str | list[str] | dict[str, str]) -> tuple[str, ...]:
    """The source's columns of a key that has other names there than in the request; empty where it has the same."""
    return tuple(by.values()) if isinstance(by, dict) and any(ours != theirs for ours, theirs in by.items()) else ()
