"""Promise 11: no route without a declared policy, and no reading or writing without the right, over every route."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import httpx
import pytest
from litestar import get
from litestar.handlers import asgi, websocket

from pilotage.app import Application
from pilotage.govern.guards import Needs, needs, public
from pilotage.govern.records import Grant, Permission, Role
from pilotage.platform.workspace import Workspace
from pilotage.review import flow as reviewing
from pilotage.web.console import build_console
from pilotage.web.policies import UndeclaredPolicy
from tests.living import NAME
from tests.promises.access import (
    ORIGIN,
    OTHER,
    Caller,
    Door,
    Requests,
    Sent,
    World,
    asking,
    is_refusal,
    may,
    send,
    served,
    told,
    unseen,
)
from tests.promises.table import Promise

NOT_HERE = {
    "audit_page",
    "findings_page",
    "plan_page",
    "available_page",
    "columns_page",
    "report_html",
    "report_json",
    "audit_report",
    "comparison_page",
    "card_page",
    "plain_page",
    "dismiss",
    "change_view",
    "remove_view",
    "delete_view",
}
"""What has nothing to show where nothing was audited or compared yet, somebody was there before, or it is one's own."""
NOT_LIVE = "{version:str}"
"""In the other use case, no version is live."""


def is_missing(sent: Sent, reply: httpx.Response) -> bool:
    """Whether those who may were told that there is nothing yet."""
    is_expected = sent.route.handler in NOT_HERE or (sent.scope == "foreign" and NOT_LIVE in sent.route.path)
    return is_expected and reply.status_code == 404 and "that you may see" not in reply.text


@pytest.fixture
def world(work: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("THINGS", f"sqlite:///{tmp_path / 'things.db'}")
    return World(work, tmp_path)


def test_an_application_with_a_route_that_declares_nothing_is_not_built(work: Workspace) -> None:
    async def silent() -> None: ...

    async def plain(scope: object, receive: object, send: object) -> None: ...

    async def socket(socket: object) -> None: ...

    declared = public("a test")
    refused = (
        get("/silent")(silent),
        get("/silent", guards=[public(" ")])(silent),
        get("/silent", guards=[declared, needs(Permission.READ)])(silent),
        get("/silent", guards=[lambda connection, handler: None])(silent),
        asgi("/silent", copy_scope=True)(plain),
        websocket("/silent")(socket),
    )
    for handler in refused:
        with pytest.raises(UndeclaredPolicy, match="/silent"):
            build_console(work, extra=[handler])
    build_console(work, extra=[get("/said", guards=[declared])(silent)])


def test_every_plain_route_in_front_is_declared_too(work: Workspace) -> None:
    app = Application(work)
    try:
        handlers = {route.handler for route in app.policies}
        in_front = {type(each).__name__ for each in vars(app).values() if hasattr(each, "policy")}
        called = {type(each).__name__ for each in vars(app).values() if callable(each)} - {"Litestar", "Observing"}
        assert in_front == called <= handlers
        assert len(app.policies) > 90
        writing = [route for route in app.policies if route.method not in ("GET", "HEAD", "OPTIONS")]
        assert not [each for each in writing if isinstance(each.policy, Needs) and each.policy.permission == "read"]
    finally:
        app.service.close()


def few(world: World) -> list[Caller]:
    """Of each kind one, as far as they differ in what is refused."""
    people = ((Role.VIEWER, NAME), (Role.REVIEWER, NAME), (Role.OWNER, NAME), (Role.OWNER, OTHER), (Role.ADMIN, "*"))
    keys = ((Role.APP, NAME), (Role.BUILDER, NAME), (Role.APP, OTHER), (Role.AUDITOR, "*"), (Role.ADMIN, "*"))
    found = [world.caller("session", Grant(role, where)) for role, where in people]
    found += [world.caller("key", Grant(role, where)) for role, where in keys]
    return [*found, world.shut_out("session"), world.shut_out("key"), *_always(world)]


def all_of_them(world: World) -> list[Caller]:
    """Each role in our own use case, in the other, and in all, by session and by key."""
    places = (NAME, OTHER, "*")
    doors: tuple[Door, ...] = ("session", "key")
    found = [world.caller(door, Grant(role, where)) for door in doors for role in Role for where in places]
    found += [world.caller(door, name=f"{door} without grants") for door in doors]
    found += [world.shut_out(door) for door in doors]
    return [*found, *_always(world)]


def _always(world: World) -> list[Caller]:
    nobody, card = Caller("nobody", "none"), Caller("card", "bearer", world.own.card)
    return [nobody, card, world.own.job_caller, world.foreign.job_caller]


def ask_everything(world: World, everybody: list[Caller]) -> tuple[list[str], Counter[str]]:
    """First all that must be refused, then all that must be allowed; what went otherwise, and how many were asked."""
    wrong: list[str] = []
    asked: Counter[str] = Counter()

    async def ask_all(is_allowed: bool) -> None:
        async with served(world.work) as app:
            requests = list(Requests(world, app).all())
            for caller in everybody:
                hidden = unseen(caller, world)
                async with asking(app, caller) as client:
                    for sent in requests:
                        if may(caller, sent, world) is is_allowed:
                            asked["allowed" if is_allowed else "refused"] += 1
                            reply = await send(client, sent)
                            wrong.extend(_wrong(caller, sent, reply, is_allowed, hidden))

    before = world.state()
    asyncio.run(ask_all(is_allowed=False))
    if world.state() != before:
        wrong.append("the database changed although all was refused")
    asyncio.run(ask_all(is_allowed=True))
    return wrong, asked


def say(promise: Promise, wrong: list[str], asked: Counter[str], callers: int) -> None:
    print("\n".join(wrong))
    figure = f"{len(wrong)} wrong: {asked['refused']:,} refused, {asked['allowed']:,} allowed, {callers} callers"
    promise(11, what="routes × roles", figure=figure, n=asked.total(), passed=not wrong)


def test_over_every_route_nothing_is_read_or_written_without_the_right(world: World, promise: Promise) -> None:
    everybody = few(world)
    say(promise, *ask_everything(world, everybody), len(everybody))


@pytest.mark.long
def test_over_every_route_and_every_role_nothing_is_read_or_written_without_the_right(
    world: World, promise: Promise
) -> None:
    everybody = all_of_them(world)
    say(promise, *ask_everything(world, everybody), len(everybody))


def _wrong(caller: Caller, sent: Sent, reply: httpx.Response, is_allowed: bool, hidden: tuple[str, ...]) -> list[str]:
    """What is wrong with a reply: a defect, a word that the caller may not meet, or not what is their right."""
    said = f"{caller.name}: {sent.route.method} {sent.path} ({sent.scope}) -> {reply.status_code}"
    found = [f"{said}: {word} leaked" for word in hidden if word in reply.text and word not in sent.path]
    if reply.status_code >= 500:
        found.append(said)
    if not is_allowed and not is_refusal(reply):
        found.append(said)
    if is_allowed and is_refusal(reply) and not is_missing(sent, reply):
        found.append(f"{said}: {reply.text[:300]}")
    return found


def test_a_body_that_names_what_is_of_another_use_case_finds_nothing(world: World, promise: Promise) -> None:
    """A foreign decision, entity or report is told of in the very words in which one that never was is told of."""
    own, foreign = world.own, world.foreign
    caller = world.caller("key", Grant(Role.APP, NAME))

    async def replies(decision: str, entity: str, use_case: str) -> list[str]:
        rows = [
            told(f"{use_case} 1", decision=decision),
            told(f"{use_case} 2", entity=entity, use_case=NAME),
            told(f"{use_case} 3", entity=entity, use_case=use_case),
        ]
        asked = (
            ("POST", "/v1/outcomes", {"outcomes": rows}),
            ("POST", f"/v1/use-cases/{NAME}/card-tokens", {"entity": entity, "origin": ORIGIN, "person": "maria"}),
            ("POST", f"/v1/decisions/{decision}/feedback", {"kind": "wrong", "person": "maria"}),
            ("GET", f"/v1/decisions/{decision}", None),
            ("GET", "/v1/outcomes/quarantined", None),
        )
        async with served(world.work) as app, asking(app, caller) as client:
            found = [await client.request(*each[:2], json=each[2], headers={"X-Request-Id": "one"}) for each in asked]
        text = [f"{reply.status_code} {reply.text}" for reply in found]
        return [each.replace(decision, "D").replace(entity, "E").replace(use_case, "U") for each in text]

    before = reviewing.feedback_on(world.work, foreign.ids["decision_id"])
    of_another = asyncio.run(replies(foreign.ids["decision_id"], foreign.entity, OTHER))
    of_nothing = asyncio.run(replies("dec_018b25gwg0000000000000000", "Nobody-entity", "nothing"))
    known = asyncio.run(replies(own.ids["decision_id"], own.entity, NAME))
    told_apart = [one for one, other in zip(of_another[:4], of_nothing[:4], strict=True) if one != other]
    assert known[:4] != of_another[:4], "one's own are found"
    assert not [word for word in foreign.canaries if word in "".join(of_another).replace("E", "")]
    assert reviewing.feedback_on(world.work, foreign.ids["decision_id"]) == before
    figure = f"{len(told_apart)} foreign ones told apart from none {told_apart}"
    promise(11, what="in bodies", figure=figure, n=len(of_another), passed=not told_apart)
