"""The nouns of the protocol as they travel. Source: OFREP's OpenAPI, version 0.3."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

Reason = Literal["STATIC", "SPLIT", "DISABLED"]
ErrorCode = Literal["PARSE_ERROR", "TARGETING_KEY_MISSING", "INVALID_CONTEXT", "FLAG_NOT_FOUND", "GENERAL"]


class Evaluation(Struct, frozen=True):
    """A request: for whom the flags are evaluated. ``context["targetingKey"]`` is the entity."""

    context: dict[str, Any] = {}


class Flag(Struct, frozen=True):
    """A flag's value, and why it is that; ``variant`` is the value's name."""

    key: str
    value: bool | str
    reason: Reason
    variant: str
    metadata: dict[str, bool | str | float]


class Failure(Struct, frozen=True, rename="camel"):
    """Why there is no value."""

    key: str
    error_code: ErrorCode
    error_details: str


class BulkFailure(Struct, frozen=True, rename="camel"):
    """Why there are no values at all."""

    error_code: ErrorCode
    error_details: str


class Flags(Struct, frozen=True):
    """The answer to a request for all flags."""

    flags: list[Flag | Failure]
