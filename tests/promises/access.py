"""Every route asked by everybody about everything: requests made from the policies that the application declares."""

from __future__ import annotations

import contextlib
import dataclasses
import enum
import hashlib
import sqlite3
import typing
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, Literal

import httpx
import msgspec
import sqlalchemy as sa
from litestar.routes import HTTPRoute
from litestar.testing import TestClient

from pilotage.app import Application
from pilotage.data import flow as data
from pilotage.decisions import store as ledger
from pilotage.decisions.durable import draining
from pilotage.govern import flow as governing
from pilotage.govern.cookies import CSRF, SESSION
from pilotage.govern.guards import APerson, Needs, Public
from pilotage.govern.records import EVERY_USE_CASE, SYSTEM, Grant, Principal, Role
from pilotage.govern.rules.permissions import INSTALLATION_WIDE, ROLES
from pilotage.govern.store import keys as keys_store
from pilotage.govern.store import people as people_store
from pilotage.monitor.incidents import flow as incidents
from pilotage.platform.database import metadata
from pilotage.platform.workspace import Workspace
from pilotage.releases import flow as releasing
from pilotage.releases import store as releases
from pilotage.releases.records import Stage
from pilotage.review import flow as reviewing
from pilotage.review import store as review_store
from pilotage.review.records import Wanted
from pilotage.usecase import flow as defining
from pilotage.usecase.records import Definition
from pilotage.web.console import build_console
from pilotage.web.policies import DeclaredRoute
from pilotage.webhooks import flow as webhooks
from tests.decisions.small import FILE
from tests.living import NAME, measured_as_trained, signed_version
from tests.review.arranging import a_decision, reviewer

OTHER = "other"
ORIGIN = "https://app.example"
PASSWORD = "a-password-for-the-form"
ADDRESS = "http://access.test"
PROGRAMS = ("/v1/", "/v2/", "/ofrep/")
"""Where keys are read, and cookies are not."""
LARGE = b'{"thing": "%s", "size": 7, "at": "2013-12-05T19:00:00Z"}'
OF_A_USE_CASE = frozenset({"use_case", "decision_id", "case_id", "job_id", "incident", "key", "operation"})
Scope = Literal["own", "foreign", "mixed"]
Door = Literal["none", "session", "key", "bearer"]


@dataclasses.dataclass(frozen=True)
class Subject:
    """What there is of one use case, by the names that paths have for it; ``canaries`` are words only it has."""

    ids: dict[str, str]
    canaries: tuple[str, ...]
    entity: str
    card: str
    job_caller: Caller
    """The key that submitted the job: no other key has it."""


@dataclasses.dataclass(frozen=True)
class Caller:
    """Somebody who asks: by which door, with what, and what they were granted."""

    name: str
    door: Door
    secret: str = ""
    grants: tuple[Grant, ...] = ()
    is_shut_out: bool = False


@dataclasses.dataclass(frozen=True)
class Sent:
    """A request that fits, but for who sends it."""

    route: DeclaredRoute
    scope: Scope
    path: str
    more: dict[str, Any]


class World:
    """An installation with two use cases, everything that can be named in a path twice, and people and keys."""

    def __init__(self, work: Workspace, folder: Path) -> None:
        self.work = work
        self.visitor = {"name": "visitor", "password": governing.add_person(work, SYSTEM, "visitor", ())}
        with contextlib.closing(sqlite3.connect(folder / "things.db")) as database:
            database.execute("CREATE TABLE things (thing TEXT PRIMARY KEY, size REAL, at TIMESTAMP, colour TEXT)")
            database.execute("INSERT INTO things VALUES ('a', 7, '2013-12-01 10:00:00', 'red')")
            database.commit()
        self.own = self._subject(NAME, "Quokka")
        self.foreign = self._subject(OTHER, "Wombat")

    def caller(self, door: Door, *grants: Grant, name: str = "") -> Caller:
        """A new person or key with these grants."""
        said = name or f"{door} {' '.join(f'{grant.role.value} of {grant.use_case}' for grant in grants)}".strip()
        named = said.replace(EVERY_USE_CASE, "all")
        if door == "key":
            return Caller(said, door, governing.make_key(self.work, SYSTEM, named, grants), grants)
        if door == "session":
            password = governing.add_person(self.work, SYSTEM, named, grants)
            return Caller(said, door, governing.log_in(self.work, named, password), grants)
        return Caller(said, door)

    def shut_out(self, door: Door) -> Caller:
        """Somebody who might do everything, and then was disabled."""
        caller = self.caller(door, Grant(Role.ADMIN), name=f"{door} disabled")
        with self.work.database.reading() as connection:
            if door == "key":
                known = next(each.id for each in keys_store.every(connection) if each.name == caller.name)
            else:
                known = next(each.id for each in people_store.everybody(connection) if each.name == caller.name)
        (governing.disable_key if door == "key" else governing.disable_person)(self.work, SYSTEM, known)
        return dataclasses.replace(caller, grants=(), is_shut_out=True)

    def state(self) -> str:
        """A fingerprint of everything that the control database holds."""
        found = hashlib.sha256()
        with self.work.database.reading() as connection:
            for table in metadata.sorted_tables:
                rows = sorted(repr(tuple(row)) for row in connection.execute(sa.select(table)))
                found.update(repr((table.name, rows)).encode())
        return found.hexdigest()

    def _subject(self, use_case: str, word: str) -> Subject:
        work, canary = self.work, f"{word}-words"
        text = FILE.replace("use_case: small", f"use_case: {use_case}").replace("title: Small", f"title: {canary}")
        definition = defining.adopt(work, defining.parse_definition(text, "use_case.yaml"), SYSTEM)
        data.sync(work, definition)
        entity = f"{word}-entity"
        number, version = self._versions(definition, 1 if use_case == NAME else 5)
        made: dict[str, Any] = {"use_case": use_case, "entity": entity, "version": version, "inputs": {"size": 7.0}}
        decided = a_decision(work.clock.now(), review=True, signals=(), **made)
        draining.keep(work, [ledger.encode(decided)])
        reviewing.take_in(work)
        with work.database.reading() as connection:
            case = review_store.case_of_decision(connection, decided.id)
        assert case is not None
        endpoint, _ = webhooks.register(work, SYSTEM, f"https://8.8.8.8/{word}", (), use_case, canary)
        sent = webhooks.send_test(work, SYSTEM, endpoint.id)
        caller = self.caller("key", Grant(Role.APP, use_case), name=f"{word}-caller")
        ids = {
            "use_case": use_case,
            "decision_id": decided.id,
            "case_id": case.id,
            "job_id": self._job(use_case, caller, entity),
            "incident": incidents.see(work, "crash_loop", canary, use_case).id,
            "key": f"{use_case}.stage",
            "operation": f"decide_{use_case}",
            "number": str(number),
            "version": self._live_version(use_case),
            "webhook": endpoint.id,
            "delivery": sent.id,
            **self._people(word, use_case),
            "file_path": "pilotage.css",
            "view": reviewing.keep_view(work, definition, canary, Wanted(), False, reviewer(word)).id,
        }
        said = Principal(id="card:maria", name="maria", kind="card")
        ids["feedback"] = reviewing.give_feedback(work, decided, "useful", "", said, work.clock.now()).id
        card = governing.mint_card_token(
            work,
            use_case=use_case,
            entity=entity,
            decision=decided.id,
            origin=ORIGIN,
            person="maria",
            actions=("wrong",),
        )
        return Subject(ids, (canary, entity, caller.name), entity, card, caller)

    def _versions(self, definition: Definition, number: int) -> tuple[int, str]:
        """Two versions, in our own use case live ones: the number and identifier of the second."""
        for each in (number, number + 1):
            version = signed_version(self.work, definition, each)
            if definition.name == NAME:
                measured_as_trained(self.work, definition, version)
                releasing.release(self.work, definition, version, SYSTEM, "better")
                continue
            moved = releases.versions.update().where(releases.versions.c.id == version.id)
            with self.work.database.writing() as connection:
                connection.execute(moved.values(use_case=definition.name))
        if definition.name == NAME:
            releasing.set_stage(self.work, NAME, Stage.SHADOW, 1.0, SYSTEM, "go")
        return number + 1, version.id

    def _live_version(self, use_case: str) -> str:
        return releasing.live(self.work, use_case).version or "none"

    def _job(self, use_case: str, caller: Caller, entity: str) -> str:
        headers = {"Authorization": f"Bearer {caller.secret}", "Content-Type": "application/x-ndjson"}
        with TestClient(build_console(self.work)) as client:
            content = LARGE % entity.encode() + b"\n"
            reply = client.post(f"/v1/use-cases/{use_case}/jobs", content=content, headers=headers)
            outcomes = {"outcomes": [told(entity, decision="dec_unknown")]}
            client.post("/v1/outcomes", json=outcomes, headers={"Authorization": headers["Authorization"]})
        assert reply.status_code == 202, reply.text
        return str(reply.json()["id"])

    def _people(self, word: str, use_case: str) -> dict[str, str]:
        governing.add_person(self.work, SYSTEM, f"{word}-person", ())
        governing.make_key(self.work, SYSTEM, f"{word}-key", (Grant(Role.APP, use_case),))
        with self.work.database.reading() as connection:
            (person,) = [each for each in people_store.everybody(connection) if each.name == f"{word}-person"]
            (key,) = [each for each in keys_store.every(connection) if each.name == f"{word}-key"]
        return {"person_id": person.id, "key_id": key.id}


class Requests:
    """Requests to every route that the application declares, about our own use case and the other."""

    def __init__(self, world: World, app: Application) -> None:
        self.world = world
        self.routes = app.policies
        self._bodies = {
            (str(method), route.path): handler.parsed_fn_signature.parameters.get("data")
            for route in app._console.routes
            if isinstance(route, HTTPRoute)
            for handler in route.route_handlers
            for method in handler.http_methods
        }

    def all(self) -> Iterator[Sent]:
        """All of them; what begins or ends a session comes last."""
        for route in sorted(self.routes, key=lambda route: route.handler in ("log_in", "log_out")):
            for scope in self._scopes(route):
                yield Sent(route, scope, self._path(route, scope), self._more(route, scope))

    def _scopes(self, route: DeclaredRoute) -> tuple[Scope, ...]:
        named = parameters_of(route.path)
        if not named & OF_A_USE_CASE:
            return ("own",)
        is_mixed = "use_case" in named and len(named) > 1 and "version" not in named
        return ("own", "foreign", "mixed") if is_mixed else ("own", "foreign")

    def _path(self, route: DeclaredRoute, scope: Scope) -> str:
        own, foreign = self.world.own.ids, self.world.foreign.ids
        ids = {"own": own, "foreign": foreign, "mixed": {**foreign, "use_case": own["use_case"]}}[scope]
        path = route.path
        for part in path.split("/"):
            if part.startswith("{"):
                name = part.strip("{}").partition(":")[0]
                assert name in ids, f"{route.path}: say in this file what {name} is of each use case"
                path = path.replace(part.partition("}")[0] + "}", ids[name])
        for name, value in ids.items():
            path = path.replace(f"{{{name}:str}}", value)
        return path

    def _more(self, route: DeclaredRoute, scope: Scope) -> dict[str, Any]:
        subject = self.world.foreign if scope == "foreign" else self.world.own
        if route.method not in ("POST", "PUT", "PATCH"):
            return {}
        visitor = {"data": self.world.visitor}
        known = visitor if route.handler == "log_in" else _sent_to(route.handler, route.path, subject)
        if known is not None:
            return known
        parameter = self._bodies.get((route.method, route.path))
        content = {} if parameter is None else example_of(parameter.annotation)
        if route.path.startswith(PROGRAMS):
            return {"json": content}
        return {"data": {name: _as_field(value) for name, value in content.items()}}


def _sent_to(handler: str, path: str, subject: Subject) -> dict[str, Any] | None:
    """What a route must be sent that no type tells."""
    asked = LARGE % subject.entity.encode()
    tensor = {"shape": [1], "datatype": "BYTES"}
    inputs = [
        {"name": "thing", **tensor, "data": [subject.entity]},
        {"name": "size", "shape": [1], "datatype": "FP64", "data": [7.0]},
        {"name": "at", **tensor, "data": ["2013-12-05T19:00:00Z"]},
    ]
    known: dict[str, dict[str, Any]] = {
        "DecisionRoute": {"content": asked},
        "BatchRoute": {"content": b'{"requests": [%s]}' % asked},
        "submit_job": {"headers": {"content-type": "application/x-ndjson"}, "content": asked + b"\n"},
        "report_outcomes": {"json": {"outcomes": [told("shop", decision=subject.ids["decision_id"])]}},
        "infer": {"json": {"inputs": inputs}},
        "one_flag": {"json": {"context": {"targetingKey": "x"}}},
        "every_flag": {"json": {"context": {"targetingKey": "x"}}},
        "mint_card_token": {"json": {"entity": subject.entity, "origin": ORIGIN, "person": "maria"}},
        "card_feedback": {"json": {"kind": "wrong"}},
        "undo_card_feedback": {"json": {"feedback": subject.ids["feedback"]}},
        "app_feedback": {"json": {"kind": "wrong", "person": "maria"}},
        "dismiss": {"data": {"source": subject.entity, "id": "1", "version": "1"}},
        "change_stage": {"data": {"stage": "assist", "reason": "to try"}},
        "make_key": {"data": {"name": "made", "role": "viewer", "use_case": "*"}},
        "add_person": {"data": {"name": "made", "role": "viewer", "use_case": "*"}},
    }
    if handler == "register":
        content: dict[str, Any] = {"url": "https://8.8.8.8/new"}
        return {"json": content} if path.startswith("/v1/") else {"data": content}
    if handler == "replay":
        since = {"json": {"since": "2013-12-01T00:00:00Z"}}
        return since if path.startswith("/v1/") else {"data": {"hours": "48"}}
    return known.get(handler)


def told(source: str, **about: str) -> dict[str, Any]:
    """An outcome as an app tells it."""
    known_at = "2013-12-05T19:30:00Z"
    return {"source": source, "id": "1", "version": 1, "happened": True, "known_at": known_at, **about}


@contextlib.asynccontextmanager
async def served(work: Workspace) -> AsyncIterator[Application]:
    """The whole application as it answers, without what it does again and again."""
    app = Application(work)
    app.service.following.look_at_sources()
    app.service.following.look_at_switches()
    app.service.phase = "running"
    try:
        yield app
    finally:
        app.service.close()


@contextlib.asynccontextmanager
async def asking(app: Application, caller: Caller) -> AsyncIterator[httpx.AsyncClient]:
    """A client that sends what this caller has; its forms come from our own pages."""
    cookies: dict[str, str] = {}
    headers: dict[str, str] = {}
    if caller.door == "session":
        cookies[SESSION] = caller.secret
    elif caller.door != "none":
        headers |= {"Authorization": f"Bearer {caller.secret}", "X-API-Key": caller.secret}
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=ADDRESS, headers=headers, cookies=cookies) as client:
        token = (await client.get("/log-in")).cookies[CSRF]
        client.headers.update({"X-CSRFToken": token, "Origin": ORIGIN})
        client.cookies[CSRF] = token
        yield client


async def send(client: httpx.AsyncClient, sent: Sent) -> httpx.Response:
    """One request."""
    more = dict(sent.more)
    if "data" in more:
        more["data"] = {**more["data"], "_csrf_token": client.headers["X-CSRFToken"]}
    return await client.request(sent.route.method, sent.path, **more)


def may(caller: Caller, sent: Sent, world: World) -> bool:
    """What the policy says, worked out from grants alone. A route about something of both use cases is nobody's."""
    policy, is_for_programs = sent.route.policy, sent.path.startswith(PROGRAMS)
    if isinstance(policy, Public):
        return True
    if isinstance(policy, APerson):
        return caller.door == "session" and not caller.is_shut_out
    if not isinstance(policy, Needs):
        return caller.door == "bearer"
    if caller.door != ("key" if is_for_programs else "session") or sent.scope == "mixed":
        return False
    granted = [each for each in caller.grants if policy.permission in ROLES[each.role]]
    if policy.permission in INSTALLATION_WIDE:
        return any(each.use_case == EVERY_USE_CASE for each in granted)
    if not parameters_of(sent.route.path) & OF_A_USE_CASE:
        return bool(granted)
    subject = world.foreign if sent.scope == "foreign" else world.own
    is_another_keys = (
        "job_id" in parameters_of(sent.route.path) and caller.door == "key" and caller != subject.job_caller
    )
    wanted = {EVERY_USE_CASE, subject.ids["use_case"]}
    return not is_another_keys and any(each.use_case in wanted for each in granted)


def unseen(caller: Caller, world: World) -> tuple[str, ...]:
    """Words that a caller has no right to meet: those of use cases for which they have no grant at all."""
    granted = {each.use_case for each in caller.grants}
    if EVERY_USE_CASE in granted:
        return ()
    known = {NAME} if caller.secret == world.own.card else granted
    own = () if NAME in known else world.own.canaries
    return own if OTHER in known else (*own, *world.foreign.canaries)


def is_refusal(reply: httpx.Response) -> bool:
    """Whether a reply says that the caller may not, or hides that there is something."""
    if reply.status_code == 303:
        return reply.headers["location"].startswith("/log-in?next")
    return reply.status_code in (401, 403, 404)


def parameters_of(path: str) -> set[str]:
    """The names that a path has for what it is about."""
    return {part.partition("{")[2].partition(":")[0] for part in path.split("/") if "{" in part}


def example_of(kind: Any) -> dict[str, Any]:
    """The least that fits a body's type: its required fields."""
    if typing.get_origin(kind) is typing.Annotated:
        kind = typing.get_args(kind)[0]
    fields = msgspec.structs.fields(kind)
    return {field.encode_name: _value_of(field.type) for field in fields if field.required}


def _value_of(kind: Any) -> Any:
    if typing.get_origin(kind) is typing.Annotated:
        return _value_of(typing.get_args(kind)[0])
    if typing.get_origin(kind) is Literal:
        return typing.get_args(kind)[0]
    if typing.get_origin(kind) is list:
        return []
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return next(iter(kind)).value
    return {str: "x", int: 1, float: 1.0, bool: False}[kind]


def _as_field(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


__all__ = [
    "Caller",
    "Requests",
    "Sent",
    "World",
    "asking",
    "is_refusal",
    "may",
    "reviewing",
    "send",
    "served",
    "unseen",
]
