"""Signatures as Standard Webhooks says (https://www.standardwebhooks.com, specification 1.0.0)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime

PREFIX = "whsec_"
SECRET_BYTES = 32
CONTENT_TYPE = "application/cloudevents+json"


def written(secret: bytes) -> str:
    """A secret as people copy it: ``whsec_`` and base64."""
    return PREFIX + base64.b64encode(secret).decode()


def signature(secret: str, identifier: str, at: datetime, body: bytes) -> str:
    """``v1,`` and the base64 of HMAC-SHA256 over ``id.timestamp.body``; the timestamp is in whole seconds."""
    key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    signed = f"{identifier}.{int(at.timestamp())}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def headers(secrets: Sequence[str], identifier: str, at: datetime, body: bytes) -> dict[str, str]:
    """The headers of one attempt, with a signature for each secret that counts: the newest first."""
    return {
        "content-type": CONTENT_TYPE,
        "webhook-id": identifier,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signature(secret, identifier, at, body) for secret in secrets),
    }
