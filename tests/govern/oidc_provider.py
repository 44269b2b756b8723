"""A small OpenID provider on a loopback port: discovery, keys, authorization with PKCE, tokens; and its faults."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

import msgspec
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey
from litestar import Litestar, Request, get, post
from litestar.enums import MediaType
from litestar.response import Redirect, Response

from pilotage.platform.clock import FixedClock
from tests.embed.hosting import serving

CLIENT, SECRET = "pilotage", "a client's secret: %&+"
AnyRequest = Request[Any, Any, Any]


class Provider:
    """Lets ``user`` in at once. ``fault`` is what it does wrong; ``asked`` counts requests by path."""

    def __init__(self, clock: FixedClock) -> None:
        self.clock = clock
        self.issuer = ""
        self.user: dict[str, Any] = {"sub": "u-1", "preferred_username": "anna"}
        self.fault = ""
        self.keys: list[ECKey | RSAKey] = [_new_key()]
        self.codes: dict[str, dict[str, str]] = {}
        self.asked: list[str] = []

    def rotate(self) -> None:
        """Sign by another key from now on, of another kind; the old one is gone."""
        self.keys = [RSAKey.generate_key(2048, {"kid": secrets.token_hex(4), "use": "sig"})]

    def app(self) -> Litestar:
        """The provider's routes."""

        @get("/.well-known/openid-configuration", sync_to_thread=False)
        def discovery() -> dict[str, Any]:
            self.asked.append("discovery")
            return {
                "issuer": "https://evil.example" if self.fault == "another discovery" else self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token/",
                "jwks_uri": f"{self.issuer}/keys",
            }

        @get("/keys", sync_to_thread=False)
        def keys() -> dict[str, Any]:
            self.asked.append("keys")
            return dict(KeySet(list(self.keys)).as_dict(private=False))

        @get("/authorize", sync_to_thread=False)
        def authorize(request: AnyRequest) -> Redirect:
            query = dict(request.query_params)
            assert query["client_id"] == CLIENT and query["response_type"] == "code"
            assert query["code_challenge_method"] == "S256" and "openid" in query["scope"]
            if self.fault == "refuses":
                back = {"error": "access_denied", "state": query["state"]}
            else:
                code = secrets.token_urlsafe(16)
                self.codes[code] = query
                back = {"code": code, "state": query["state"], "iss": self.issuer}
            if self.fault == "another issuer in the answer":
                back["iss"] = "https://evil.example"
            return Redirect(f"{query['redirect_uri']}?{urlencode(back)}", status_code=302)

        @post("/token", status_code=200)
        async def token(request: AnyRequest) -> Response[bytes]:
            form = await request.form()
            asked = self.codes.pop(str(form["code"]), None)
            digest = hashlib.sha256(str(form["code_verifier"]).encode()).digest()
            challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
            pair = base64.b64encode(b"pilotage:a%20client%27s%20secret%3A%20%25%26%2B").decode()
            is_known = request.headers.get("authorization") == f"Basic {pair}"
            if asked is None or asked["code_challenge"] != challenge or not is_known:
                return _json({"error": "invalid_grant"}, 400)
            return _json({"id_token": self._token(asked["nonce"]), "token_type": "Bearer", "access_token": "x"})

        return Litestar([discovery, keys, authorize, token], openapi_config=None)

    def _token(self, nonce: str) -> str:
        now = int(self.clock.now().timestamp())
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": nonce, **self.user}
        claims |= {
            "wrong nonce": {"nonce": "of another log-in"},
            "wrong issuer": {"iss": "https://evil.example"},
            "wrong audience": {"aud": "another-app"},
            "two audiences": {"aud": [CLIENT, "another-app"], "azp": "another-app"},
            "expired": {"exp": now - 61},
            "of the future": {"iat": now + 600},
            "nobody": {"sub": ""},
        }.get(self.fault, {})
        if self.fault == "alg none":
            return f"{_part({'alg': 'none'})}.{_part(claims)}."
        if self.fault == "signed by the public key":
            head = f"{_part({'alg': 'HS256', 'kid': self.keys[0].kid})}.{_part(claims)}"
            public = self.keys[0].as_pem(private=False)
            return f"{head}.{_text(hmac.digest(public, head.encode(), 'sha256'))}"
        key = _new_key(str(self.keys[0].kid)) if self.fault == "signed by somebody" else self.keys[0]
        algorithm = "RS256" if isinstance(key, RSAKey) else "ES256"
        return jwt.encode({"alg": algorithm, "kid": key.kid}, claims, key)


@contextmanager
def provided(clock: FixedClock) -> Iterator[Provider]:
    """A provider that runs."""
    provider = Provider(clock)
    with serving(provider.app()) as origin:
        provider.issuer = origin
        yield provider


def _new_key(kid: str = "") -> ECKey:
    return ECKey.generate_key("P-256", {"kid": kid or secrets.token_hex(4), "use": "sig"})


def _json(content: dict[str, Any], status: int = 200) -> Response[bytes]:
    return Response(msgspec.json.encode(content), status_code=status, media_type=MediaType.JSON)


def _part(content: dict[str, Any]) -> str:
    return _text(msgspec.json.encode(content))


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
