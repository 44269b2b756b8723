"""The bytes of an audit-log entry and of a checkpoint's note. What is hashed or signed is exactly what is stored."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from pilotage.govern.records import AuditEntry, Principal
from pilotage.platform.instants import iso

ORIGIN = "pilotage"


def entry_bytes(
    number: int, at: datetime, actor: Principal, action: str, subject: str, detail: Mapping[str, Any]
) -> bytes:
    """Canonical JSON of one entry: keys in order, no spaces, the instant to the microsecond."""
    entry = {
        "number": number,
        "at": iso(at),
        "actor": actor.name,
        "actor_id": actor.id,
        "action": action,
        "subject": subject,
        "detail": detail,
    }
    return msgspec.json.encode(entry, order="deterministic")


def entry_of(content: bytes) -> AuditEntry:
    """The entry that these stored bytes are.

    Raises:
        msgspec.MsgspecError: they are not an entry.
    """
    try:
        return msgspec.json.decode(content, type=AuditEntry)
    except (UnicodeDecodeError, RecursionError) as error:  # which its decoder lets through
        raise msgspec.DecodeError(str(error)) from None


def use_case_of(subject: str, detail: Mapping[str, Any]) -> str:
    """The use case that an entry is about: the detail's, else its subject; for filtering only."""
    named = detail.get("use_case")
    return named if isinstance(named, str) and named else subject


def note(size: int, root: bytes) -> bytes:
    """The text that a checkpoint signs, in the form of a transparency log's note: origin, size, root."""
    return f"{ORIGIN}\n{size}\n{base64.b64encode(root).decode()}\n".encode()


def anchor_line(size: int, root: bytes, signature: str) -> str:
    """One line of the anchor file: what anybody outside needs to hold us to this checkpoint."""
    return f"{size} {base64.b64encode(root).decode()} {signature}\n"


def read_anchor_line(line: str) -> tuple[int, bytes, str]:
    """Size, root and signature of an anchor line.

    Raises:
        ValueError: it is no anchor line.
    """
    size, root, signature = line.split()
    return int(size), base64.b64decode(root, validate=True), signature
