"""The JSON Schema of a use-case file, for editors that complete and explain keys."""

from __future__ import annotations

from typing import Any

import msgspec

from pilotage.usecase.records import UseCase


def json_schema() -> dict[str, Any]:
    """Draft 2020-12, made from the records: their docstrings are the descriptions."""
    schema = msgspec.json.schema(UseCase)
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Pilotage use case"}
    return {**head, **schema}
