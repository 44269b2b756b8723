"""Log-in by an OpenID provider: the authorization code flow with PKCE (OpenID Connect Core 1.0, RFC 7636, RFC 9700).

Nothing is kept between the two halves but a secret in the browser's cookie: state, nonce and verifier are derived from
it. Discovery and keys are kept for a minute; a token by a key that is not among them asks for them anew.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

import msgspec
from msgspec import Struct

from pilotage.govern.flow.arriving import arrived
from pilotage.govern.flow.provider_calls import ProviderRefused, ask, calling, look_up, read
from pilotage.govern.flow.sessions import open_session
from pilotage.govern.rules import callers, groups, identity
from pilotage.govern.rules.demanding import demanding_roles
from pilotage.govern.rules.signing_keys import TokenHead, claims_by, fitting
from pilotage.platform.egress import Egress
from pilotage.platform.errors import SettingsError
from pilotage.platform.settings import Settings
from pilotage.platform.workspace import Workspace

BACK = "/log-in/provider/back"
MINUTES_MAX = 10
_TIME_DIGITS_MAX = 12
_AHEAD_SECONDS = 30
"""How far the clock of the replica where a log-in began may be ahead of ours."""
_FORM = {"content-type": "application/x-www-form-urlencoded"}


class _Discovered(Struct, frozen=True):
    """Where a provider does what (OpenID Connect Discovery 1.0, section 3)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)


class _Tokens(Struct, frozen=True):
    id_token: str


class _Keys(Struct, frozen=True):
    keys: list[dict[str, Any]]


def is_configured(settings: Settings) -> bool:
    """Whether people can come by an OpenID provider."""
    return bool(settings.oidc_issuer)


def demand_sound(settings: Settings) -> None:
    """Do nothing where people can come in.

    Raises:
        SettingsError: a setting is missing or cannot be read, or there is no way in at all.
    """
    groups.roles_by_group(settings.oidc_roles)
    demanding_roles(settings.second_factor_roles)
    callers.proxies(settings.trusted_proxies)
    if not is_configured(settings):
        if not settings.password_log_in:
            raise SettingsError(
                "PILOTAGE_PASSWORD_LOG_IN is off and PILOTAGE_OIDC_ISSUER is not set: nobody could log in.",
                "Set the provider, or leave passwords on.",
            )
        return
    if not settings.oidc_client_id:
        raise SettingsError("PILOTAGE_OIDC_ISSUER needs PILOTAGE_OIDC_CLIENT_ID.", "Register Pilotage there first.")
    _client_secret(settings)
    Egress(settings.oidc_issuer, settings.private_hosts).close()


def begin(work: Workspace, wanted: str) -> tuple[str, str]:
    """The provider's address to send the browser to, and what its cookie must hold until it comes back.

    Raises:
        Unreachable: the provider does not answer.
        ProviderRefused: it is another than the one that was set.
        ProviderBusy: too many ask it at this moment.
    """
    with calling():
        place = _discovered(work)
    back = base64.urlsafe_b64encode(wanted.encode()).decode().rstrip("=")  # letters that no cookie changes
    kept = f"{int(work.clock.now().timestamp())}.{secrets.token_urlsafe(32)}.{back}"
    asked = {
        "response_type": "code",
        "client_id": work.settings.oidc_client_id,
        "redirect_uri": work.settings.address + BACK,
        "scope": work.settings.oidc_scopes,
        "state": identity.derived(kept, "state"),
        "nonce": identity.derived(kept, "nonce"),
        "code_challenge": identity.challenge_of(identity.derived(kept, "verifier")),
        "code_challenge_method": "S256",
    }
    parts = urlsplit(place.authorization_endpoint)
    query = f"{parts.query}&{urlencode(asked)}" if parts.query else urlencode(asked)
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, "")), kept


def wanted_in(kept: str) -> str:
    """Where somebody wanted to go when the log-in began."""
    back = kept.rpartition(".")[2]
    try:
        return base64.urlsafe_b64decode(back + "=" * (-len(back) % 4)).decode()
    except ValueError:
        return "/"


def come_back(work: Workspace, kept: str, said: Mapping[str, str], agent: str = "") -> str:
    """Open a session for whom the provider names: its token. Makes the person at their first log-in.

    ``kept`` is the cookie, ``said`` the query with which the provider sent the browser back.

    Raises:
        Unreachable: the provider does not answer.
        ProviderRefused: it refused, or what it said is not meant for this log-in, is over, or not signed by it.
    """
    made_at = kept.partition(".")[0]
    now = work.clock.now().timestamp()
    is_time = made_at.isdecimal() and len(made_at) <= _TIME_DIGITS_MAX
    if not is_time or not -_AHEAD_SECONDS <= now - int(made_at) <= MINUTES_MAX * 60:
        raise ProviderRefused("This log-in took too long, or began in another browser.", "Begin again.")
    if not hmac.compare_digest(said.get("state", "").encode(), identity.derived(kept, "state").encode()):
        raise ProviderRefused("This answer belongs to another log-in.", "Begin again.")
    if said.get("error") or not said.get("code"):
        raise ProviderRefused("The provider did not let you in.", "Try again, or ask who runs it.")
    if said.get("iss", work.settings.oidc_issuer) != work.settings.oidc_issuer:  # RFC 9207
        raise ProviderRefused("This answer is of another provider.", "Begin again.")
    with calling():
        place = _discovered(work)
        claims = _claims(work, place, _exchanged(work, place, said["code"], identity.derived(kept, "verifier")))
    nonce = identity.derived(kept, "nonce")
    fault = identity.fault_of(claims, work.settings.oidc_issuer, work.settings.oidc_client_id, nonce, now)
    if fault:
        raise ProviderRefused(f"The provider's ID token does not count: {fault}.", "Begin again, or tell who runs it.")
    return open_session(work, arrived(work, claims), agent, how="OpenID provider")


def _discovered(work: Workspace) -> _Discovered:
    issuer = work.settings.oidc_issuer
    address = issuer.rstrip("/") + "/.well-known/openid-configuration"
    found = look_up(work, address, _Discovered)
    if found.issuer != issuer:
        raise ProviderRefused(f"The provider calls itself {found.issuer}.", f"PILOTAGE_OIDC_ISSUER says {issuer}.")
    return found


def _exchanged(work: Workspace, place: _Discovered, code: str, verifier: str) -> str:
    """The ID token for a code."""
    settings = work.settings
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": settings.address + BACK,
        "client_id": settings.oidc_client_id,
        "code_verifier": verifier,
    }
    headers = dict(_FORM)
    secret = _client_secret(settings)
    if secret and "client_secret_basic" in place.token_endpoint_auth_methods_supported:
        pair = f"{quote(settings.oidc_client_id, safe='')}:{quote(secret, safe='')}"
        headers["authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
    elif secret:
        form["client_secret"] = secret
    reply = ask(work, place.token_endpoint, urlencode(form).encode(), headers)
    if reply.status != 200:
        raise ProviderRefused(f"The provider refused the code ({reply.status}).", "Begin again, or ask who runs it.")
    return read(reply.content, _Tokens).id_token


def _claims(work: Workspace, place: _Discovered, token: str) -> dict[str, Any]:
    """What the token says, if one of the provider's keys of today signed it."""
    try:
        head = msgspec.json.decode(base64.urlsafe_b64decode(f"{token.partition('.')[0]}=="), type=TokenHead)
    except ValueError:  # of base64 or msgspec
        raise _not_signed() from None
    keys = fitting(look_up(work, place.jwks_uri, _Keys).keys, head)
    claims = claims_by(token, keys)
    if claims is None and (head.kid is None or not keys):  # a new key may have come since
        claims = claims_by(token, fitting(look_up(work, place.jwks_uri, _Keys, fresh=True).keys, head))
    if claims is None:
        raise _not_signed()
    return claims


def _not_signed() -> ProviderRefused:
    return ProviderRefused(
        "The provider's ID token is not signed by one of its keys.", "Begin again, or tell who runs it."
    )


def _client_secret(settings: Settings) -> str:
    if not settings.oidc_client_secret_file:
        return settings.oidc_client_secret
    try:
        return Path(settings.oidc_client_secret_file).read_text().strip()
    except OSError as error:
        raise SettingsError(
            f"PILOTAGE_OIDC_CLIENT_SECRET_FILE cannot be read: {error.strerror}.", "Correct the path or its rights."
        ) from None
