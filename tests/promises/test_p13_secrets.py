"""Promise 13: secrets stand in no log, error, trace, page, metric, download, webhook, job result, file or table.

A secret is what opens something: passwords, session tokens, API keys, card tokens, secrets of webhooks, passwords of
sources. What was asked (a colour, a size) stands nowhere but where it is kept by design: in the decision and in the
questions of a job.
"""

from __future__ import annotations

import base64
import contextlib
import io
import itertools
import re
import sqlite3
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from pilotage.app import Application
from pilotage.audit import flow as auditing
from pilotage.data import flow as data
from pilotage.govern import flow as governing
from pilotage.govern.records import SYSTEM, Grant, Role
from pilotage.govern.store import keys
from pilotage.platform.database import metadata
from pilotage.platform.logs import without_secrets
from pilotage.platform.replies import kept_replies
from pilotage.platform.settings import Settings
from pilotage.platform.workspace import Workspace, open_workspace
from pilotage.usecase.flow import adopt, parse_definition
from pilotage.webhooks import flow as webhooks
from tests.decisions.small import FILE
from tests.promises.access import parameters_of
from tests.promises.table import Promise
from tests.web.serving import served, wait_until
from tests.webhooks.receiving import Receiver, receiving

SOURCE = "canarySourcePassw0rd"
COLOUR = "canaryColourOfAPerson"
SIZE = "canarySizeOfAPerson"
ORIGIN = "https://app.example"
ORDINARY = {"accept": "text/html,application/json"}
ASKED = ("colour", "size")
"""What was asked: no secret."""
KEPT_BY_DESIGN = ("decisions",)
"""The table that keeps what was asked."""


class Secrets:
    """One of each kind, real ones, by name."""

    def __init__(self, work: Workspace, receiver: Receiver) -> None:
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
        self.told, self.open_webhook = webhooks.register(work, SYSTEM, receiver.url, (), "*", "takes everything")

    def named(self) -> Mapping[str, str]:
        """Each by what it is."""
        kinds = ("password", "session", "key", "shut", "card", "webhook", "open_webhook")
        found = {kind: str(getattr(self, kind)) for kind in kinds}
        return {**found, "source password": SOURCE, "colour": COLOUR, "size": SIZE}


def _keys(work: Workspace) -> list[Any]:
    with work.database.reading() as connection:
        return keys.every(connection)


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    """Takes webhooks, and spans."""
    with receiving() as opened:
        yield opened


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory, receiver: Receiver) -> Iterator[Workspace]:
    home = tmp_path_factory.mktemp("secrets") / "home"
    made = open_workspace(Settings(home=home, egress_hosts=_hosts(receiver)))
    yield made
    made.close()


def _hosts(receiver: Receiver) -> str:
    return f"127.0.0.1:9,{receiver.url.split('/')[2]}"


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
    work: Workspace, receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, promise: Promise
) -> None:
    secrets, log = Secrets(work, receiver), work.home / "serve.log"
    others = _read_and_audited(work, tmp_path, monkeypatch)
    told: dict[str, str] = {}
    settings = {
        "PILOTAGE_LOG_LEVEL": "DEBUG",
        "PILOTAGE_LOG_FORMAT": "json",
        "PILOTAGE_SYNC_SECONDS": "1",
        "THINGS": f"postgresql://someone:{SOURCE}@127.0.0.1:9/things?connect_timeout=1",
        "OTHERS": others,
        "PILOTAGE_EGRESS_HOSTS": _hosts(receiver),
        "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url.removesuffix("/hooks/"),
        "OTEL_BSP_SCHEDULE_DELAY": "100",
    }
    with served(work, 1, **settings) as here, httpx.Client(base_url=here.address, timeout=30) as client:
        sent = 0
        for request in wrong_requests(work, secrets):
            reply = client.request(**request)
            sent += 1
            where = f"{request['method']} {request['url']}"
            told[where] = f"{told.get(where, '')} {dict(reply.headers)} {reply.text}"
        wait_until(lambda: "job_failed" in log.read_text(), 20)
        told |= _looked_at(client, secrets) | _answered_by_a_job(client, secrets)
        told |= _heard(receiver, client, secrets)
    told["log"] = log.read_text()
    assert told["log"].count('"request"') > sent > 250, "each request has its line"
    kept, files = _kept(work), _files(work)
    told |= {where: text for where, text in kept.items() if where not in KEPT_BY_DESIGN}
    found = [f"{kind} in {where}" for where, text in told.items() for kind in _in(text, secrets)]
    by_design = files | {where: text for where, text in kept.items() if where in KEPT_BY_DESIGN}
    assert COLOUR in by_design["decisions"], "what was asked is looked for where it is"
    found += [
        f"{kind} in {where}" for where, text in by_design.items() for kind in _in(text, secrets) if kind not in ASKED
    ]
    told |= by_design
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
    files = ("/use-cases/other/audit/report.html", "/use-cases/other/audit/report.json", "/use-cases/small/jobs")
    seen = {path: client.get(path, headers=cookie) for path in (*pages, *more, *files)}
    assert {each.status_code for each in seen.values()} == {200}, seen
    return {path: each.text for path, each in seen.items()}


def _read_and_audited(work: Workspace, folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A second use case, whose source can be read; its audit can be downloaded, and its jobs end."""
    with contextlib.closing(sqlite3.connect(folder / "things.db")) as database:
        database.execute("CREATE TABLE things (thing TEXT PRIMARY KEY, size REAL, at TIMESTAMP, colour TEXT)")
        rows = [(f"t{number}", number % 10, f"2013-12-{1 + number % 28:02} 10:00:00", "red") for number in range(60)]
        database.executemany("INSERT INTO things VALUES (?, ?, ?, ?)", rows)
        database.commit()
    url = f"sqlite:///{folder / 'things.db'}"
    monkeypatch.setenv("OTHERS", url)
    text = FILE.replace("use_case: small", "use_case: other").replace("env:THINGS", "env:OTHERS")
    definition = adopt(work, parse_definition(text, "other.yaml"), SYSTEM)
    data.sync(work, definition)
    auditing.run(work, definition)
    return url


def _answered_by_a_job(client: httpx.Client, secrets: Secrets) -> dict[str, str]:
    """A job of rows that fit and rows that do not, and each kind of its result."""
    key = {"authorization": f"Bearer {secrets.key}"}
    at = "2013-12-05T19:00:00Z"
    rows = [{"thing": "t1", "size": 7, "at": at, "colour": COLOUR}, {"thing": "t2", "size": SIZE, "at": at}]
    sent = client.post(
        "/v1/use-cases/other/jobs",
        content=b"\n".join(map(msgspec.json.encode, rows)),
        headers={**key, "content-type": "application/x-ndjson"},
    )
    assert sent.status_code == 202, sent.text
    job = f"/v1/use-cases/other/jobs/{sent.json()['id']}"
    wait_until(lambda: client.get(job, headers=key).json()["state"] == "done")
    found = {f"job result, {kind}": client.get(f"{job}/result?format={kind}", headers=key) for kind in ("jsonl", "csv")}
    table = pq.read_table(io.BytesIO(client.get(f"{job}/result?format=parquet", headers=key).content))
    assert table.num_rows == len(rows)
    return {
        "job": client.get(job, headers=key).text,
        **{where: reply.text for where, reply in found.items()},
        "job result, parquet": repr(table.to_pylist()),
    }


def _heard(receiver: Receiver, client: httpx.Client, secrets: Secrets) -> dict[str, str]:
    """What other systems were told: webhooks with their headers, and spans."""
    key = {"authorization": f"Bearer {secrets.key}"}
    test = client.post(f"/v1/webhooks/{secrets.told.id}/test", headers=key)
    assert test.status_code == 202, test.text
    wait_until(lambda: any("webhook.test" in each.body.decode("latin-1") for each in [*receiver.received]))
    wait_until(lambda: any(each.path == "/v1/traces" for each in [*receiver.received]))
    heard: dict[str, str] = {"webhooks": "", "/v1/traces": ""}
    for each in [*receiver.received]:
        where = each.path if each.path in heard else "webhooks"
        heard[where] += f"{each.headers} {each.body.decode('latin-1')}"
    assert "http.route" in heard["/v1/traces"]
    return heard


def _kept(work: Workspace) -> dict[str, str]:
    """Every table, by its name; kept replies unpacked."""
    found = {}
    with work.database.reading() as connection:
        for table in metadata.sorted_tables:
            rows = connection.execute(sa.select(table)).all()
            found[table.name] = " ".join(map(repr, rows))
        bodies = connection.execute(sa.select(kept_replies.c.body).where(kept_replies.c.body.is_not(None))).scalars()
        unpacked = [zlib.decompress(each).decode() for each in bodies]
    assert unpacked, "replies were kept"
    return {**found, "kept_replies": f"{found['kept_replies']} {unpacked}"}


def _files(work: Workspace) -> dict[str, str]:
    """Every file of the installation, but for the folder of the secrets themselves; Parquet as its rows."""
    found = {}
    for path in sorted(each for each in work.home.rglob("*") if each.is_file()):
        where = path.relative_to(work.home)
        if where.parts[0] == "keys":
            continue
        is_table = path.suffix == ".parquet"
        found[f"file {where}"] = repr(pq.read_table(path).to_pylist()) if is_table else path.read_text("latin-1")
    assert {"lake", "jobs"} <= {Path(each.removeprefix("file ")).parts[0] for each in found}, sorted(found)
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
