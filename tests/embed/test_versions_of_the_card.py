"""An address of the card with a version serves these bytes for good; pages that a person reads say how to use it."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from collections.abc import Iterator

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from pilotage.client import sign_card_token
from pilotage.govern import flow
from pilotage.govern.records import Role
from pilotage.platform.workspace import Workspace
from pilotage.web import embedding
from pilotage.web.console import build_console
from tests.living import NAME, visitor
from tests.review.arranging import adopt

Client = TestClient[Litestar]


@pytest.fixture
def client(work: Workspace) -> Iterator[Client]:
    with TestClient(build_console(work)) as opened:
        yield opened


def _sri(content: bytes) -> str:
    return "sha384-" + base64.b64encode(hashlib.sha384(content).digest()).decode()


def _next_release(monkeypatch: pytest.MonkeyPatch) -> None:
    """What an upgrade of Pilotage changes: the module's bytes, and so their version and hash."""
    later = embedding.module() + b"\n// the next release\n"
    monkeypatch.setattr(embedding, "module", lambda: later)
    monkeypatch.setattr(embedding, "version", lambda: hashlib.sha256(later).hexdigest())
    monkeypatch.setattr(embedding, "integrity", lambda: _sri(later))


def test_a_page_with_the_tag_of_an_earlier_release_still_loads_what_its_hash_says(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    tag = client.get("/embed/pilotage-card.json").json()
    _next_release(monkeypatch)

    old = client.get(f"{embedding.PATH}?v={tag['version']}")
    new = client.get(f"{embedding.PATH}?v={embedding.version()}")

    assert _sri(old.content) == tag["integrity"]
    assert _sri(new.content) == client.get("/embed/pilotage-card.json").json()["integrity"] != tag["integrity"]
    for reply in (old, new):
        assert reply.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert reply.headers["access-control-allow-origin"] == "*"
    again = client.get(f"{embedding.PATH}?v={tag['version']}", headers={"If-None-Match": old.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_loading_the_module_keeps_it_too_and_without_a_version_the_newest_comes(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = client.get(f"{embedding.PATH}?v={embedding.version()}")
    version = embedding.version()
    _next_release(monkeypatch)
    assert client.get(f"{embedding.PATH}?v={version}").content == first.content
    plain = client.get(embedding.PATH)
    assert plain.content == embedding.module() != first.content
    assert plain.headers["cache-control"] == "public, no-cache"


@pytest.mark.parametrize(
    "asked", ["0123456789abcdef" * 4, "../../keys/csrf", "..%2f..%2fkeys%2fcsrf.secret", "A" * 64, "%00"]
)
def test_a_version_that_nobody_knows_is_the_newest_and_is_not_kept_by_browsers(client: Client, asked: str) -> None:
    reply = client.get(f"{embedding.PATH}?v={asked}")
    assert reply.status_code == 200 and reply.content == embedding.module()
    assert reply.headers["cache-control"] == "public, no-cache"


def test_of_each_release_one_file_is_kept_whatever_is_asked_for(
    work: Workspace, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        for number in range(20):
            client.get(f"{embedding.PATH}?v={number:064x}")
            client.get(f"{embedding.PATH}?v={embedding.version()}")
            client.get("/embed/pilotage-card.json")
        _next_release(monkeypatch)

    assert len(list(work.lake.root.rglob("*.js"))) == 2


def test_a_kept_file_that_somebody_changed_is_not_served_under_its_version(
    work: Workspace, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = client.get("/embed/pilotage-card.json").json()["version"]
    work.lake.path(version, ".js").write_text("alert(1)")
    _next_release(monkeypatch)
    assert client.get(f"{embedding.PATH}?v={version}").content == embedding.module()


def test_where_it_cannot_be_kept_the_card_is_served_all_the_same(work: Workspace, client: Client) -> None:
    work.lake.root.mkdir(exist_ok=True)
    work.lake.path(embedding.version(), ".js").parent.write_text("a file where the folder belongs")
    reply = client.get(f"{embedding.PATH}?v={embedding.version()}")
    assert reply.status_code == 200 and reply.content == embedding.module()


def test_the_integrate_page_shows_the_tag_that_browsers_hold_the_module_to(work: Workspace) -> None:
    adopt(work)
    with visitor(work, Role.VIEWER) as person:
        page = person.get(f"/use-cases/{NAME}/integrate").text
        shown = html.unescape(re.findall(r'<code id="embed">(.*?)</code>', page, re.DOTALL)[0])
        (source,) = re.findall(
            r'src="([^"]+)" integrity="(sha384-[^"]+)" crossorigin="anonymous"', html.unescape(shown)
        )
        served = person.client.get(source[0].removeprefix(work.settings.address))
    assert _sri(served.content) == source[1]
    assert "immutable" in served.headers["cache-control"]
    assert "<pilotage-card server=" in shown
    assert "--card-secret" in page


def test_the_page_of_keys_says_which_sign_tokens_and_shows_the_secret_once(work: Workspace) -> None:
    with visitor(work, Role.ADMIN, "*") as admin:
        form = {"role": "app", "use_case": NAME, "requests_per_minute": "0"}
        made = admin.post("/keys", {**form, "name": "my app", "card_secret": "true"}).text
        without = admin.post("/keys", {**form, "name": "other app"}).text
        admin.post("/keys", {**form, "name": "builder", "role": "builder"})
        later = admin.get("/people").text
    (secret,) = re.findall(r'id="card-secret">(key_\w+\.[0-9a-f]{64})<', made)
    assert 'id="card-secret"' not in without
    assert secret not in later and secret.partition(".")[2] not in later
    rows = {
        name: row for row in later.split("<tr") for name in ("my app", "other app", "builder") if f">{name}<" in row
    }
    assert {name: "card secret" in row for name, row in rows.items()} == {
        "my app": True,
        "other app": True,
        "builder": False,
    }
    assert "shown only when the key is made" in later
    token = sign_card_token(
        secret,
        NAME,
        entity="UA1",
        origin="https://app.example",
        person="maria",
        actions=("wrong",),
        now=work.clock.now().timestamp(),
    )
    assert flow.read_card_token(work, token, "https://app.example").entity == "UA1"
