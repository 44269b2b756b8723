"""The JSON Schema of an audit report, for programs that read it."""

from __future__ import annotations

from typing import Any

import msgspec

from pilotage.audit.records import AuditReport


def json_schema() -> dict[str, Any]:
    """Draft 2020-12, made from the records: their docstrings are the descriptions."""
    schema = msgspec.json.schema(AuditReport)
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Pilotage audit report"}
    return {**head, **schema}
