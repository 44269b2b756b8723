"""Which of an OpenID provider's keys a token can be signed by (RFC 7517; OpenID Connect Core 1.0, section 10.1)."""

from __future__ import annotations

from typing import Any

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key

from pilotage.govern.rules.identity import ALGORITHMS

_KINDS = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}
"""The kind of key by the first letters of an algorithm's name."""


class TokenHead(msgspec.Struct, frozen=True):
    """What a token's header says of its signature; it only chooses the keys that the token is held against."""

    alg: str
    kid: str | None = None


def fitting(keys: list[dict[str, Any]], head: TokenHead) -> list[Key]:
    """The keys of the right kind, and of this ``kid`` where the token names one; keys that we cannot read are none."""
    kind = _KINDS.get(head.alg[:2])
    found = []
    for each in keys:
        is_meant = head.kid is None or each.get("kid") == head.kid
        if is_meant and kind is not None and each.get("kty") == kind and each.get("use", "sig") == "sig":
            found += _imported(each)
    return found


def claims_by(token: str, keys: list[Key]) -> dict[str, Any] | None:
    """What the token says, if one of these keys signed it."""
    for key in keys:
        try:
            return dict(jwt.decode(token, key, algorithms=list(ALGORITHMS)).claims)
        except (JoseError, ValueError):  # of another key, or of a curve that the algorithm does not go with
            continue
    return None


def _imported(said: dict[str, Any]) -> list[Key]:
    try:
        return [JWKRegistry.import_key(said)]
    except (JoseError, ValueError, KeyError, TypeError):  # a curve that we do not know, or numbers that are none
        return []
