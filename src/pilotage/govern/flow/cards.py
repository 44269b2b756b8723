"""Tokens for the card in somebody's browser: one use case, one entity, one origin, at most five minutes.

They are signed here, or by an app's own server with the card secret of its key. That secret is derived from ours and
the key's identifier, so nothing new is stored; the header's ``kid`` (RFC 7515, 4.1.4) says which key it belongs to.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import urlsafe_b64decode
from datetime import UTC, datetime, timedelta
from typing import Annotated

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from pilotage.govern.flow.secret_files import secret_of
from pilotage.govern.records import CardToken, Permission, Principal
from pilotage.govern.rules.permissions import demand
from pilotage.govern.store import keys
from pilotage.platform.errors import InvalidRequest, NotAllowed, NotAuthenticated
from pilotage.platform.workspace import Workspace

MINUTES_MAX = 5
_ALGORITHM = "HS256"
_AUDIENCE = "pilotage-card"
_DERIVED = "pilotage card secret of "
_KEY_ID = re.compile(r"key_[0-9A-Za-z]{1,36}")
_AHEAD = timedelta(seconds=30)
"""How far the clock of another replica may be ahead of ours."""


_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
"""As long as what a token is minted for may be."""


class _Header(msgspec.Struct, frozen=True):
    """The one thing of a token's header that is read before its signature: whose it says it is."""

    kid: str | None = None


class _Claims(msgspec.Struct, frozen=True):
    """What a token says; ``iat`` and ``exp`` are in seconds since 1970."""

    aud: str
    iat: int
    exp: int
    use_case: str
    entity: _Name
    origin: _Name
    person: _Name
    actions: tuple[str, ...]
    decision: str = ""


def mint_card_token(
    work: Workspace,
    *,
    use_case: str,
    entity: str,
    decision: str,
    origin: str,
    person: str,
    actions: tuple[str, ...],
    minutes: float = MINUTES_MAX,
) -> str:
    """A signed token (JWT, HS256) that says all of this.

    Raises:
        InvalidRequest: it would be good for longer than five minutes.
    """
    if not 0 < minutes <= MINUTES_MAX:
        raise InvalidRequest(f"A card token lasts at most {MINUTES_MAX} minutes (got {minutes}).", "Mint a new one.")
    now = work.clock.now()
    claims = {
        "aud": _AUDIENCE,
        "iat": int(now.timestamp()),
        "exp": int((now + timedelta(minutes=minutes)).timestamp()),
        "use_case": use_case,
        "entity": entity,
        "decision": decision,
        "origin": origin,
        "person": person,
        "actions": list(actions),
    }
    return jwt.encode({"alg": _ALGORITHM}, claims, _key(work), algorithms=[_ALGORITHM])


def card_secret(work: Workspace, key_id: str) -> str:
    """What an app's server signs cards' tokens with: the key's identifier, a dot, and 64 hexadecimal digits."""
    return f"{key_id}.{_derived(work, key_id)}"


def _derived(work: Workspace, key_id: str) -> str:
    return hmac.new(secret_of(work, "card"), f"{_DERIVED}{key_id}".encode(), hashlib.sha256).hexdigest()


def read_card_token(work: Workspace, token: str, origin: str) -> CardToken:
    """What the token allows, if it is ours, still good, and comes from the page it was minted for.

    Raises:
        NotAuthenticated: it is not ours, was changed, or is over; or its app's key was disabled.
        NotAllowed: it was minted for another origin, or with a key that may show no card of this use case.
    """
    key_id = _key_id(token)
    claims = _claims_of(token, _key(work) if key_id is None else _derived_key(work, key_id))
    now = work.clock.now()
    if claims.exp <= now.timestamp():
        raise NotAuthenticated("This card token is over.", "Mint a new one.")
    if claims.exp - claims.iat > MINUTES_MAX * 60 or claims.iat > (now + _AHEAD).timestamp():
        raise NotAuthenticated(f"This card token would last longer than {MINUTES_MAX} minutes.", "Mint a new one.")
    if claims.origin != origin:
        raise NotAllowed("This card token was minted for another site.", f"It came from {origin or 'no site at all'}.")
    if key_id is not None:
        _demand_embedding(work, key_id, claims.use_case)
    return CardToken(
        use_case=claims.use_case,
        entity=claims.entity,
        decision=claims.decision,
        origin=claims.origin,
        person=claims.person,
        actions=claims.actions,
        expires_at=datetime.fromtimestamp(claims.exp, UTC),
    )


def _key_id(token: str) -> str | None:
    """Which app's key a token says it was signed for; None for one of ours. Only chooses what it is held against."""
    try:
        header = msgspec.json.decode(urlsafe_b64decode(f"{token.partition('.')[0]}=="), type=_Header)
    except ValueError:  # of base64 or msgspec
        raise _not_ours() from None
    if header.kid is None or _KEY_ID.fullmatch(header.kid):
        return header.kid
    raise _not_ours()


def _demand_embedding(work: Workspace, key_id: str, use_case: str) -> None:
    with work.database.reading() as connection:
        key = keys.find(connection, key_id)
    if key is None or key.disabled_at is not None:
        raise NotAuthenticated("The key of this card token opens nothing any more.", "Make a new key.")
    demand(Principal(key.id, key.name, "key", key.grants), Permission.EMBED, use_case)


def _claims_of(token: str, key: OctKey) -> _Claims:
    """What the token says, if it was signed with this key by the one algorithm there is: its header decides nothing."""
    try:
        said = jwt.decode(token, key, algorithms=[_ALGORITHM]).claims
        claims = msgspec.convert(said, _Claims)
    except (JoseError, ValueError):  # msgspec's errors are ValueErrors
        raise _not_ours() from None
    if claims.aud != _AUDIENCE:
        raise NotAuthenticated("This token is not for cards.", "Mint one with a key of your app.")
    return claims


def _not_ours() -> NotAuthenticated:
    return NotAuthenticated("This card token is not ours.", "Mint one with a key of your app.")


def _derived_key(work: Workspace, key_id: str) -> OctKey:
    return OctKey.import_key(_derived(work, key_id).encode())


def _key(work: Workspace) -> OctKey:
    return OctKey.import_key(secret_of(work, "card"))
