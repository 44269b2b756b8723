"""Promise 12: a card's token is good for five minutes, one use case, entity and origin, and never in an address."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc import jws, jwt
from joserfc.jwk import OctKey, RSAKey
from litestar import Litestar
from litestar.testing import TestClient

from pilotage.govern import flow as governing
from pilotage.govern.flow.secret_files import secret_of
from pilotage.platform.clock import FixedClock
from pilotage.platform.workspace import Workspace
from pilotage.review import flow as reviewing
from tests.promises.table import Promise
from tests.review.arranging import NAME, adopt, go_live, recorded
from tests.review.serving import ORIGIN, app_key, card_headers, console, minted

FLIGHT = "UA1545-2013-12-05"
CANARIES = (FLIGHT, "Prepare rebooking", "aircraft_last_delay", "74 minutes")


@pytest.fixture
def client(work: Workspace) -> Iterator[TestClient[Litestar]]:
    adopt(work)
    go_live(work)
    recorded(work)
    with TestClient(console(work), raise_server_exceptions=False) as opened:
        yield opened


def encoded(part: object) -> str:
    content = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def claims_in(token: str) -> dict[str, Any]:
    body = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return found


def forged(work: Workspace, token: str) -> dict[str, str]:
    """Tokens that nobody may come in with, made from a good one by those who do not, and who do, know the secret."""
    head, body, signature = token.split(".")
    claims, secret = claims_in(token), secret_of(work, "card")
    ours = OctKey.import_key(secret)
    pair = RSAKey.import_key(rsa.generate_private_key(65537, 2048))
    public = pair.as_pem(private=False)

    def by(key: bytes, header: dict[str, Any], said: dict[str, Any] = claims) -> str:
        """Signed by HMAC with whatever is said to be the key, whatever the header says."""
        text = f"{encoded(header)}.{encoded(said)}"
        return f"{text}.{encoded(hmac.new(key, text.encode(), hashlib.sha256).digest())}"

    def signed(**changed: Any) -> str:
        """By our own secret: as if a defect of ours had minted it."""
        return jwt.encode({"alg": "HS256"}, claims | changed, ours, algorithms=["HS256"])

    without = {name: value for name, value in claims.items() if name != "exp"}
    twice = b'{"alg":"HS256","alg":"none"}'
    kids = ("../../../../dev/null", "/dev/null", "' UNION SELECT ''--", "0", "card", "http://evil.example/key")
    return {
        **{f"alg {alg}": f"{encoded({'alg': alg})}.{body}." for alg in ("none", "None", "NONE", "nOnE", "", "HS1")},
        "alg none, signature kept": f"{encoded({'alg': 'none'})}.{body}.{signature}",
        "no alg": f"{encoded({})}.{body}.{signature}",
        "alg twice": f"{encoded(twice)}.{body}.",
        "public key as secret": by(public, {"alg": "HS256"}),
        "RS256 by a key of their own": jwt.encode({"alg": "RS256"}, claims, pair, algorithms=["RS256"]),
        "RS256 that is HMAC with our secret": by(secret, {"alg": "RS256"}),
        "HS512 by our secret": jwt.encode({"alg": "HS512"}, claims, ours, algorithms=["HS512"]),
        "HS384 by our secret": jwt.encode({"alg": "HS384"}, claims, ours, algorithms=["HS384"]),
        "a key in the header": by(b"k" * 32, {"alg": "HS256", "jwk": {"kty": "oct", "k": encoded(b"k" * 32)}}),
        "a key's address": by(b"k" * 32, {"alg": "HS256", "jku": "https://evil.example/keys.json"}),
        "a chain of certificates": by(b"k" * 32, {"alg": "HS256", "x5u": "https://evil.example/x"}),
        **{f"kid {kid}": by(b"", {"alg": "HS256", "kid": kid}) for kid in kids},
        "an empty key": by(b"", {"alg": "HS256"}),
        "an unknown critical header": by(secret, {"alg": "HS256", "crit": ["x"], "x": 1}),
        "body not encoded": by(secret, {"alg": "HS256", "b64": False, "crit": ["b64"]}),
        "another entity": f"{head}.{encoded(claims | {'entity': 'DL7'})}.{signature}",
        "another origin in the body": f"{head}.{encoded(claims | {'origin': 'https://evil.example'})}.{signature}",
        "later end in the body": f"{head}.{encoded(claims | {'exp': claims['exp'] + 600})}.{signature}",
        "no signature": f"{head}.{body}.",
        "two parts": f"{head}.{body}",
        "signature cut": token[:-4],
        "signature of another": f"{head}.{body}.{encoded(b'0' * 32)}",
        "more parts": f"{token}.{signature}",
        "encrypted": f"{encoded({'alg': 'dir', 'enc': 'A128GCM'})}..{encoded(b'0' * 12)}.{body}.{encoded(b'0' * 16)}",
        "JSON instead": jws.serialize_json({"protected": {"alg": "HS256"}}, body.encode(), ours)["signature"],
        "ours, ten minutes": signed(exp=claims["iat"] + 600),
        "ours, five minutes and a second": signed(exp=claims["iat"] + 301),
        "ours, begins in an hour": signed(iat=claims["iat"] + 3600, exp=claims["iat"] + 3900),
        "ours, over": signed(iat=claims["iat"] - 400, exp=claims["iat"] - 100),
        "ours, without end": jwt.encode({"alg": "HS256"}, without, ours, algorithms=["HS256"]),
        "ours, end as text": signed(exp=str(claims["exp"])),
        "ours, end as fraction": signed(exp=claims["exp"] + 0.5),
        "ours, end too large": signed(exp=10**400),
        "ours, for something else": signed(aud="pilotage-session"),
        "ours, for several": signed(aud=["pilotage-card"]),
        "ours, another entity than its decision's": signed(entity="DL7-2013-12-05"),
        "ours, another use case than its decision's": signed(use_case="other"),
        "ours, another decision": signed(decision="dec_none"),
        "ours, another origin": signed(origin="https://evil.example"),
        "ours, origin of a list": signed(origin=[ORIGIN]),
    }


def test_no_other_token_than_the_one_that_was_minted_opens_a_card(
    client: TestClient[Litestar], work: Workspace, promise: Promise
) -> None:
    token = minted(client, work, FLIGHT)
    foreign = recorded(work, entity="DL7-2013-12-05")
    assert client.get("/v1/card", headers=card_headers(token)).status_code == 200
    opened = []
    every = forged(work, token)
    for name, made in every.items():
        headers = card_headers(made)
        replies = (
            client.get("/v1/card", headers=headers),
            client.post("/v1/card/feedback", json={"kind": "useful"}, headers=headers),
        )
        for reply in replies:
            if reply.status_code not in (401, 403, 404) or any(each in reply.text for each in CANARIES):
                opened.append(f"{name}: {reply.status_code} {reply.text[:200]}")
    assert reviewing.feedback_on(work, foreign.id) == []
    promise(12, what="forged", figure=f"{len(opened)} opened a card {opened}", n=2 * len(every), passed=not opened)


@pytest.mark.parametrize(
    "origin",
    [
        "",
        "null",
        "http://app.example",
        "https://app.example:444",
        "https://app.example.evil.example",
        "https://evil.example#https://app.example",
        "https://APP.example",
        "https://app.example/",
        "https://app.example, https://evil.example",
        "http://127.0.0.1:8700",
    ],
)
def test_from_another_origin_it_opens_nothing(client: TestClient[Litestar], work: Workspace, origin: str) -> None:
    headers = card_headers(minted(client, work, FLIGHT), origin)
    if not origin:
        del headers["Origin"]
    for reply in (
        client.get("/v1/card", headers=headers),
        client.post("/v1/card/feedback", json={"kind": "useful"}, headers=headers),
    ):
        assert reply.status_code == 403
        assert not any(each in reply.text for each in CANARIES)


def test_it_lasts_five_minutes_at_most_whoever_mints_it(
    client: TestClient[Litestar], work: Workspace, clock: FixedClock, promise: Promise
) -> None:
    token = minted(client, work, FLIGHT)
    claims = claims_in(token)
    clock.advance(timedelta(seconds=299))
    assert client.get("/v1/card", headers=card_headers(token)).status_code == 200
    clock.advance(timedelta(seconds=1))
    over = client.get("/v1/card", headers=card_headers(token)).status_code
    promise(
        12,
        what="lifetime",
        figure=f"{claims['exp'] - claims['iat']} s at most; then {over}",
        n=1,
        passed=claims["exp"] - claims["iat"] <= 300 and over == 401,
    )


def test_in_an_address_it_opens_nothing_and_is_refused_beside_a_good_header(
    client: TestClient[Litestar], work: Workspace, capfd: pytest.CaptureFixture[str]
) -> None:
    token = minted(client, work, FLIGHT)
    headers = card_headers(token)
    bare = {"Origin": ORIGIN}
    asked: tuple[Callable[[str], Any], ...] = (
        lambda query: client.get(f"/v1/card?{query}", headers=bare),
        lambda query: client.post(f"/v1/card/feedback?{query}", json={"kind": "useful"}, headers=bare),
        lambda query: client.get(f"/v1/card?{query}", headers=headers),
        lambda query: client.post(f"/v1/card/feedback?{query}", json={"kind": "useful"}, headers=headers),
        lambda query: client.get(
            "/v1/card", headers={**bare, "Cookie": f"token={token}; pilotage_session={token}; {query}"}
        ),
    )
    for name in ("token", "access_token", "authorization", "t"):
        for ask in asked:
            reply = ask(f"{name}={token}")
            assert reply.status_code in (401, 422), reply.text
            assert token not in reply.text
    assert client.get(f"/v1/card/{token}", headers=bare).status_code == 404
    assert token not in capfd.readouterr().err


def test_a_card_token_is_neither_a_key_nor_a_session(client: TestClient[Litestar], work: Workspace) -> None:
    token = minted(client, work, FLIGHT)
    for path in (f"/v1/use-cases/{NAME}/schema", "/v1/webhooks", f"/v2/models/{NAME}", "/v1/openapi.json"):
        for headers in (card_headers(token), {"X-API-Key": token}):
            assert client.get(path, headers=headers).status_code in (401, 404)
    client.cookies.set("pilotage_session", token)
    assert client.get("/people", follow_redirects=False).status_code == 303


def test_what_may_be_minted_is_bound_by_the_key_that_mints(client: TestClient[Litestar], work: Workspace) -> None:
    body = {"entity": FLIGHT, "origin": ORIGIN, "person": "maria"}
    path = f"/v1/use-cases/{NAME}/card-tokens"
    own = app_key(work)
    for more in (
        {"minutes": 60},
        {"exp": 9_999_999_999},
        {"expires_at": "2030-01-01T00:00:00Z"},
        {"decision": "dec_1"},
    ):
        assert client.post(path, json={**body, **more}, headers=own).status_code in (400, 422), more
    for origin in ("*", "null", "https://*.example", "javascript:x", "https://a@app.example", "file://", "app.example"):
        assert client.post(path, json={**body, "origin": origin}, headers=own).status_code in (400, 422), origin
    assert client.post(path, json=body, headers=app_key(work, "another")).status_code == 404
    token = client.post(path, json=body, headers=own).json()["token"]
    assert client.post(path, json=body, headers=card_headers(token)).status_code == 401
    with pytest.raises(Exception, match="at most 5 minutes"):
        governing.mint_card_token(
            work, use_case=NAME, entity=FLIGHT, decision="d", origin=ORIGIN, person="m", actions=(), minutes=6
        )
