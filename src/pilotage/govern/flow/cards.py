"""Tokens for the card in somebody's browser: one use case, one entity, one origin, at most five minutes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from pilotage.govern.flow.secret_files import secret_of
from pilotage.govern.records import CardToken
from pilotage.platform.errors import InvalidRequest, NotAllowed, NotAuthenticated
from pilotage.platform.workspace import Workspace

MINUTES_MAX = 5
_ALGORITHM = "HS256"
_AUDIENCE = "pilotage-card"


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
    expires = work.clock.now() + timedelta(minutes=minutes)
    claims = {
        "aud": _AUDIENCE,
        "exp": int(expires.timestamp()),
        "use_case": use_case,
        "entity": entity,
        "decision": decision,
        "origin": origin,
        "person": person,
        "actions": list(actions),
    }
    return jwt.encode({"alg": _ALGORITHM}, claims, _key(work), algorithms=[_ALGORITHM])


def read_card_token(work: Workspace, token: str, origin: str) -> CardToken:
    """What the token allows, if it is ours, still good, and comes from the page it was minted for.

    Raises:
        NotAuthenticated: it is not ours, was changed, or is over.
        NotAllowed: it was minted for another origin.
    """
    try:
        claims = jwt.decode(token, _key(work), algorithms=[_ALGORITHM]).claims
    except (JoseError, ValueError):
        raise NotAuthenticated("This card token is not ours.", "Mint one with a key of your app.") from None
    if claims.get("aud") != _AUDIENCE or not isinstance(claims.get("exp"), int):
        raise NotAuthenticated("This token is not for cards.", "Mint one with a key of your app.")
    expires_at = datetime.fromtimestamp(claims["exp"], UTC)
    if expires_at <= work.clock.now():
        raise NotAuthenticated("This card token is over.", "Mint a new one.")
    if claims["origin"] != origin:
        raise NotAllowed("This card token was minted for another site.", f"It came from {origin or 'no site at all'}.")
    return CardToken(
        use_case=claims["use_case"],
        entity=claims["entity"],
        decision=claims["decision"],
        origin=claims["origin"],
        person=claims["person"],
        actions=tuple(claims["actions"]),
        expires_at=expires_at,
    )


def _key(work: Workspace) -> OctKey:
    return OctKey.import_key(secret_of(work, "card"))
