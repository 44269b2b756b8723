"""Tokens for cards, signed by the app's own server without asking the service."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import time
from collections.abc import Sequence

ACTIONS = ("useful", "wrong", "override", "escalate", "accept")
SECONDS_MAX = 300
_SECRET = re.compile(r"(key_[0-9A-Za-z]{1,36})\.([0-9a-f]{64})")


def sign_card_token(
    secret: str,
    use_case: str,
    *,
    entity: str,
    origin: str,
    person: str,
    actions: Sequence[str] = ACTIONS,
    seconds: int = SECONDS_MAX,
    now: float | None = None,
) -> str:
    """A token for one card: this entity, this site, these buttons, so many seconds; a JWT (RFC 7519) by HS256.

    ``secret`` is what ``pilotage key make … --card-secret`` printed; it stays on the server. ``origin`` is that of the
    page, such as ``https://app.example``. ``now`` is in seconds since 1970, this machine's clock where it is absent.
    Hand the token to the page in a body, never in a link.

    Raises:
        ValueError: the secret is none, or the time is not 1 to 300 seconds.
    """
    found = _SECRET.fullmatch(secret)
    if found is None:
        raise ValueError(
            "The card secret must look like key_….<64 hexadecimal digits>: pilotage key make … --card-secret prints it."
        )
    if not 1 <= seconds <= SECONDS_MAX:
        raise ValueError(f"A card token lasts 1 to {SECONDS_MAX} seconds (got {seconds}).")
    key_id, key = found.groups()
    issued = int(time.time() if now is None else now)
    said = {
        "aud": "pilotage-card",
        "iat": issued,
        "exp": issued + seconds,
        "use_case": use_case,
        "entity": entity,
        "origin": origin,
        "person": person,
        "actions": list(actions),
    }
    signed = f"{_part({'alg': 'HS256', 'kid': key_id})}.{_part(said)}"
    return f"{signed}.{_base64url(hmac.new(key.encode(), signed.encode(), hashlib.sha256).digest())}"


def _part(said: dict[str, object]) -> str:
    return _base64url(json.dumps(said, separators=(",", ":"), ensure_ascii=False).encode())


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
