"""Promise 13: secrets and what was asked stand in no log, error, page, metric, export or file, whatever goes wrong."""

from __future__ import annotations

import base64
import itertools
import re
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import msgspec
import pytest
import sqlalchemy as sa

from pilotage.app import Application
from pilotage.govern import flow as governing
from pilotage.govern.records import SYSTEM, Grant, Role
from pilotage.govern.store import keys
from pilotage.platform.database import metadata
from pilotage.platform.logs import without_secrets
from pilotage.platform.settings import Settings
from pilotage.platform.workspace import Workspace, open_workspace
from pilotage.webhooks import flow as webhooks
from tests.promises.access import parameters_of
from tests.promises.table import Promise
from tests.web.serving import served, wait_until

SOURCE = "canarySourcePassw0rd"
COLOUR = "canaryColourOfAPerson"
SIZE = "canarySizeOfAPerson"
ORIGIN = "https://app.example"
ORDINARY = {"accept": "text/html,application/json"}


class Secrets:
    """One of each kind, real ones, by name."""

    def __init__(self, work: Workspace) -> None:
        everything = (Grant(Role.ADMIN),)
        self.password = governing.add_person(work, SYSTEM, "anna", everything)
        self.session = governing.log_in(work, "anna", self.password)
        self.key = governing.make_key(work, SYSTEM, "app of all", everything)
        self.shut = governing.make_key(work, SYSTEM, "app that is shut out", everything)
        (known,) = [each for each in _keys(work) if each.name == "app that is shut out"]
        governing.disable_key(work, SYSTEM, known.id)
        said: dict[str, Any] = {"use_case": "small", "entity": "t1", "decision": "dec_1", "origin": ORIGIN}
        self.card = governing.mint_card_token(work, **said, person="maria", actions=("wrong",))
        self.endpoint, self.webhook = webhooks.register(work, SYSTEM, "https://127.0.0.1:9/hooks", (), "*", "closed")

    def named(self) -> Mapping[str, str]:
        """Each by what it is."""
        kinds = ("password", "session", "key", "shut", "card", "webhook")
        found = {kind: str(getattr(self, kind)) for kind in kinds}
        return {**found, "source password": SOURCE, "colour": COLOUR, "size": SIZE}


def _keys(work: Workspace) -> list[Any]:
    with work.database.reading() as connection:
        return keys.every(connection)


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    home = tmp_path_factory.mktemp("secrets") / "home"
    made = open_workspace(Settings(home=home, egress_hosts="127.0.0.1:9"))
    yield made
    made.close()


def wrong_requests(work: Workspace, secrets: Secrets) -> Iterator[dict[str, Any]]:
    """To every method of every path: secrets wherever a caller can put them, and bodies that break."""
    app = Application(work)
    app.service.close()
    ids = {"use_case": "small", "number": "7", "file_path": "pilotage.css", "webhook": secrets.endpoint.id}
    ways = list(_ways(secrets))
    for number, route in enumerate(app.policies):
        path = route.path
        for name in parameters_of(path):
            path = re.sub(rf"{{{name}:\w+}}", ids.get(name, f"{name}_none"), path)
        for way in itertools.islice(itertools.cycle(ways), number % len(ways), number % len(ways) + 3):
            yield {"method": route.method, "url": path, **way}
    for way in ways:
        yield {"method": "POST", "url": "/v1/use-cases/small/decisions", **way}
        yield {"method": "POST", "url": "/log-in", **way}


def _ways(secrets: Secrets) -> Iterator[dict[str, Any]]:
    key, basic = secrets.key, base64.b64encode(f"anna:{secrets.password}".encode()).decode()
    good = {**ORDINARY, "authorization": f"Bearer {key}"}
    question = {"thing": "t1", "size": 7, "at": "2013-12-05T19:00:00Z"}
    broken = f'{{"thing": "t1", "colour": "{COLOUR}", "size": "{SIZE}"'
    many = {"requests": [{**question, "size": SIZE}, {**question, "colour": [COLOUR]}, {**question, COLOUR: 1}]}
    json_type = {"content-type": "application/json"}
    yield {"headers": {**good, **json_type}, "content": broken}
    yield {"headers": {**good, **json_type}, "content": msgspec.json.encode({**question, "size": SIZE})}
    yield {"headers": {**good, **json_type}, "content": msgspec.json.encode({**question, "colour": {"a": COLOUR}})}
    yield {"headers": {**good, **json_type}, "content": msgspec.json.encode({**question, "colour": COLOUR})}
    yield {"headers": {**good, **json_type}, "content": msgspec.json.encode(many)}
    yield {"headers": {**good, "content-type": "text/csv"}, "content": f"thing,size,at,colour\nt1,{SIZE},x,{COLOUR}\n"}
    yield {"headers": {**good, "content-type": "application/x-ndjson"}, "content": f"{broken}\n"}
    yield {"headers": {**good, "content-encoding": "gzip"}, "content": f"{COLOUR}{SIZE}"}
    yield {"headers": {**ORDINARY, "authorization": f"Bearer {secrets.shut}"}, "json": question}
    yield {"headers": {**ORDINARY, "authorization": f"Bearer {secrets.password}"}, "json": question}
    yield {"headers": {**ORDINARY, "authorization": f"Basic {basic}"}, "json": question}
    yield {"headers": {**ORDINARY, "x-api-key": secrets.shut, "cookie": f"pilotage_session={key}"}}
    yield {"headers": {**ORDINARY, "authorization": f"Bearer {secrets.card}", "origin": "https://evil.example"}}
    yield {"headers": {**good, "x-request-timeout-ms": SIZE, "idempotency-key": "one"}, "json": question}
    yield {"headers": {**ORDINARY, "cookie": f"pilotage_session={secrets.session}"}}
    yield {"headers": good, "data": {"name": secrets.password, "password": secrets.webhook, "role": SIZE}}
    for misplaced in (key, secrets.card, secrets.webhook):
        yield {"headers": {**ORDINARY, "x-request-id": misplaced}}
    for name in ("key", "token", "api_key", "password", "secret"):
        yield {"headers": ORDINARY, "params": {name: secrets.card, "q": secrets.shut, "password": secrets.password}}


def test_wherever_they_are_put_and_whatever_breaks_secrets_are_told_to_nobody(
    work: Workspace, promise: Promise
) -> None:
    secrets, log = Secrets(work), work.home / "serve.log"
    told: dict[str, str] = {}
    settings = {
        "PILOTAGE_LOG_LEVEL": "DEBUG",
        "PILOTAGE_LOG_FORMAT": "json",
        "PILOTAGE_SYNC_SECONDS": "1",
        "THINGS": f"postgresql://someone:{SOURCE}@127.0.0.1:9/things?connect_timeout=1",
    }
    with served(work, 1, **settings) as here, httpx.Client(base_url=here.address, timeout=30) as client:
        sent = 0
        for request in wrong_requests(work, secrets):
            reply = client.request(**request)
            sent += 1
            where = f"{request['method']} {request['url']}"
            told[where] = f"{told.get(where, '')} {dict(reply.headers)} {reply.text}"
        wait_until(lambda: "job_failed" in log.read_text(), 20)
        told |= _looked_at(client, secrets)
    told["log"] = log.read_text()
    assert told["log"].count('"request"') > sent > 250, "each request has its line"
    told |= _kept(work)
    found = [f"{kind} in {where}" for where, text in told.items() for kind in _in(text, secrets)]
    print("\n".join(found))
    figure = f"{len(found)} of {len(secrets.named())} canaries told, in {len(told):,} places"
    promise(13, what="every route", figure=figure, n=sent, passed=not found)


def _in(text: str, secrets: Secrets) -> list[str]:
    return [kind for kind, secret in secrets.named().items() if secret in text]


def _looked_at(client: httpx.Client, secrets: Secrets) -> dict[str, str]:
    """What a person who may do everything sees afterwards."""
    cookie = {"cookie": f"pilotage_session={secrets.session}"}
    pages = ("/metrics", "/readyz", "/audit-log", "/people", "/webhooks", "/", "/use-cases/small", "/interface")
    more = ("/use-cases/small/operate", "/use-cases/small/decisions", f"/webhooks/{secrets.endpoint.id}", "/incidents")
    return {path: client.get(path, headers=cookie).text for path in (*pages, *more)}


def _kept(work: Workspace) -> dict[str, str]:
    """What stays on the disk in clear, but for the secrets' own folder and what people asked to be decided."""
    found = {}
    with work.database.reading() as connection:
        for table in metadata.sorted_tables:
            if table.name in ("decisions", "webhook_endpoints", "idempotency_replies"):
                continue
            rows = connection.execute(sa.select(table)).all()
            found[f"table {table.name}"] = " ".join(map(repr, rows))
    return found


@pytest.mark.parametrize(
    "text",
    [
        "pk_" + "a" * 43,
        "Bearer pk_" + "b-_" * 14,
        "whsec_" + "c" * 40 + "=",
        "eyJhbGciOiJIUzI1NiJ9.eyJhdWQiOiJ4In0.c2lnbmF0dXJl",
        f"postgresql+psycopg://anna:{SOURCE}@db.example:5432/x?sslmode=require",
        f"mysql://anna:p%40{SOURCE}@db.example/x",
        f"could not connect: password={SOURCE} host=db",
        f"?token={SOURCE}&x=1",
    ],
)
def test_what_looks_like_a_secret_is_blackened_wherever_it_stands(text: str) -> None:
    for given in (text, f"a {text} b", f"('{text}',)", f"{text}\n{text}"):
        told = without_secrets(given)
        assert SOURCE not in told
        assert not re.search(r"a{20}|b-_b-_|c{20}|eyJhdWQ", told)
