"""What an ID token must say (OpenID Connect Core 1.0, section 3.1.3.7), and what a log-in's secrets are made of."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Any

from pilotage.govern.records import SUBJECT_LETTERS_MAX

_LEEWAY_SECONDS = 60
"""How far the provider's clock may be off."""
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519", "EdDSA")
"""Signatures by a private key only: never ``none``, never a shared secret."""


def derived(browser_secret: str, purpose: str) -> str:
    """A value for one purpose from the secret in a browser's cookie: 256 bits that do not lead back to it."""
    digest = hashlib.sha256(f"{purpose}:{browser_secret}".encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def challenge_of(verifier: str) -> str:
    """The S256 challenge of a PKCE verifier (RFC 7636, 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def fault_of(claims: Mapping[str, Any], issuer: str, client: str, nonce: str, now_seconds: float) -> str:
    """What is wrong with the claims of an ID token whose signature holds, in words; empty when nothing is."""
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    expires, issued = claims.get("exp"), claims.get("iat")
    subject = claims.get("sub")
    if claims.get("iss") != issuer:
        return "it is of another issuer"
    if client not in audiences or (len(audiences) > 1 and claims.get("azp") != client):
        return "it is for another application"
    if claims.get("azp", client) != client:
        return "it was given to another application"
    if not isinstance(expires, int | float) or expires + _LEEWAY_SECONDS <= now_seconds:
        return "it is over"
    if not isinstance(issued, int | float) or issued - _LEEWAY_SECONDS > now_seconds:
        return "it is of the future"
    if claims.get("nonce") != nonce:
        return "it answers another log-in"
    if not isinstance(subject, str) or not 0 < len(subject) <= SUBJECT_LETTERS_MAX or "\0" in subject:
        return "it names nobody"
    return ""
