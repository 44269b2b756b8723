"""The JSON Schema of a contract file, for editors that complete and explain keys."""

from __future__ import annotations

from typing import Any

import msgspec

from pilotage.data.contracts.records import Contract


def json_schema() -> dict[str, Any]:
    """Draft 2020-12, made from the records: their docstrings are the descriptions."""
    schema = msgspec.json.schema(Contract)
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Pilotage data contract"}
    return {**head, **schema}
