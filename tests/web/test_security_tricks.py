"""Other spellings of an address, other methods, and headers that would change either: nobody gets further by them."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx
import pytest

from pilotage.app import Application
from pilotage.govern import flow as governing
from pilotage.govern.cookies import SESSION
from pilotage.govern.records import SYSTEM, Grant, Role
from pilotage.platform.workspace import Workspace
from pilotage.usecase.flow import adopt, parse_definition
from tests.decisions.small import FILE, Model, serving

ADDRESS = "http://tricks.test"
SECRET_PAGES = ("/people", "/audit-log", "/webhooks", "/use-cases/other", "/use-cases/other/decisions")
SECRET_API = ("/v1/webhooks", "/v1/use-cases/other/schema", "/v1/use-cases/other/jobs", "/v2/models/other")
OVERRIDES = ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override")
Ask = Callable[..., Awaitable[httpx.Response]]


def spellings(path: str) -> set[bytes]:
    """The same address as a proxy or a framework might still read it."""
    plain = path.encode()
    first, rest = plain[1:2], plain[2:]
    last = plain.rpartition(b"/")[2]
    head = plain.removesuffix(last)
    return {
        b"/" + plain,
        b"//" + plain,
        plain + b"/",
        plain + b"//",
        plain + b"%2f",
        plain + b"/.",
        plain + b"/%2e",
        plain + b"%00",
        plain + b"%20",
        plain + b"%0a",
        plain + b";a=b",
        plain + b".json",
        plain + b"%23",
        plain + b"?a=/healthz",
        plain.upper(),
        plain.replace(b"/", b"//"),
        plain.replace(b"/", b"/./"),
        plain.replace(b"/", b"\\"),
        b"/" + plain.replace(b"/", b"%5c")[3:],
        b"/%" + b"%02x" % first[0] + rest,
        b"/%25%" + b"%02x" % first[0] + rest,
        head + b"%2e/" + last,
        head + b"x/../" + last,
        head + b"x/%2e%2e/" + last,
        head + b"%2e%2e%2f" + last,
        b"/healthz/.." + plain,
        b"/healthz/%2e%2e" + plain,
        b"/static/.." + plain,
        b"/static/%2e%2e" + plain,
        b"/static/..%2f" + plain[1:],
        b"/v1/.." + plain,
        b"/v1/%2e%2e" + plain,
        b"/v2/health/.." + plain,
        b"/v2/health/%2e%2e" + plain,
        b"/log-in/../" + plain[1:],
        b"/%c0%ae%c0%ae" + plain,
        b"/%ef%bc%8f" + plain[1:],
        b"http://tricks.test" + plain,
    }


@asynccontextmanager
async def application(work: Workspace) -> AsyncIterator[tuple[Application, Ask]]:
    """The application with two use cases, and a way to ask for an address exactly as it is spelt."""
    definitions = [
        adopt(work, parse_definition(text, "a.yaml"), SYSTEM)
        for text in (FILE, FILE.replace("use_case: small", "use_case: other").replace("Small", "Wombat-words"))
    ]
    app = Application(work)
    ready = [serving(each, Model(lambda: 0.6)) for each in definitions]
    app.service.following.servings = {each.definition.name: each for each in ready}

    async def ask(method: str, path: bytes, **headers: str) -> httpx.Response:
        app.service.following.keys = governing.all_keys(work)
        url = httpx.URL(scheme="http", host="tricks.test", raw_path=b"/")
        said = {name.replace("_", "-"): value for name, value in headers.items()}
        transport = _Verbatim(app, path)
        async with httpx.AsyncClient(transport=transport, base_url=ADDRESS) as client:
            return await client.request(method, url, headers=said)

    try:
        yield app, ask
    finally:
        app.service.close()


class _Verbatim(httpx.ASGITransport):
    """Hands the path on undecoded but for its percent signs, as the server does."""

    def __init__(self, app: Application, path: bytes) -> None:
        async def verbatim(scope: dict[str, Any], receive: Any, send: Any) -> None:
            raw, _, query = path.partition(b"?")
            decoded = unquote(raw.decode("ascii"))
            await app({**scope, "path": decoded, "raw_path": raw, "query_string": query}, receive, send)

        super().__init__(verbatim, raise_app_exceptions=False)  # type: ignore[arg-type]


def is_closed(reply: httpx.Response) -> bool:
    """Whether it says nothing: led to the log-in, refused, or not there."""
    closed = reply.status_code in (400, 401, 403, 404, 405)
    led = reply.status_code == 303 and reply.headers["location"].startswith("/log-in?next=")
    return (closed or led) and "Wombat" not in reply.text


def test_no_other_spelling_of_an_address_opens_it(work: Workspace) -> None:
    viewer = governing.add_person(work, SYSTEM, "viewer", (Grant(Role.VIEWER, "small"),))
    admin = governing.add_person(work, SYSTEM, "admin", (Grant(Role.ADMIN),))
    sessions = {name: governing.log_in(work, name, given) for name, given in (("viewer", viewer), ("admin", admin))}
    app_key = governing.make_key(work, SYSTEM, "app", (Grant(Role.APP, "small"),))
    admin_key = governing.make_key(work, SYSTEM, "all", (Grant(Role.ADMIN),))

    async def ask_all() -> list[str]:
        opened = []
        nobody: dict[str, str] = {}
        weak = {"cookie": f"{SESSION}={sessions['viewer']}", "authorization": f"Bearer {app_key}"}
        wrong_door = {
            "pages": {"authorization": f"Bearer {admin_key}"},
            "api": {"cookie": f"{SESSION}={sessions['admin']}"},
        }
        async with application(work) as (_, ask):
            for door, paths in (("pages", SECRET_PAGES), ("api", SECRET_API)):
                for path, headers in itertools.product(paths, (nobody, weak, wrong_door[door])):
                    for spelt in spellings(path):
                        reply = await ask("GET", spelt, **headers)
                        if not is_closed(reply):
                            opened.append(f"{spelt!r} by {[*headers]}: {reply.status_code} {reply.text[:80]}")
        return opened

    assert asyncio.run(ask_all()) == []


def test_no_other_method_and_no_header_about_methods_opens_anything(work: Workspace) -> None:
    key = governing.make_key(work, SYSTEM, "app", (Grant(Role.APP, "small"),))

    async def ask_all() -> None:
        async with application(work) as (app, ask):
            for route in app.policies:
                path = (
                    route.path.replace("{use_case:str}", "other").replace("{file_path:path}", "pilotage.css").encode()
                )
                for method in ("TRACE", "HEAD", "OPTIONS", "PUT", "PATCH", "CONNECT", "FOO"):
                    reply = await ask(method, path)
                    assert reply.status_code < 500, (method, path, reply.text)
                    assert "Wombat" not in reply.text
                    if method in ("TRACE", "PUT", "PATCH", "CONNECT", "FOO"):
                        assert reply.status_code in (400, 401, 404, 405), (method, path, reply.status_code)
            for name, value in itertools.product(OVERRIDES, ("GET", "POST", "DELETE")):
                for path in (b"/v1/use-cases/other/jobs", b"/people", b"/v1/webhooks"):
                    for method in ("GET", "POST"):
                        reply = await ask(method, path, **{name: value}, authorization=f"Bearer {key}")
                        assert is_closed(reply), (name, value, method, path, reply.status_code)

    asyncio.run(ask_all())


@pytest.mark.parametrize("header", ["X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Prefix", "X-Forwarded-Path"])
def test_no_header_leads_to_another_address(work: Workspace, header: str) -> None:
    async def once() -> None:
        async with application(work) as (_, ask):
            for path in (b"/people", b"/v1/webhooks"):
                assert is_closed(await ask("GET", path, **{header: "/healthz"}))
            assert (await ask("GET", b"/healthz", **{header: "/people"})).json() == {"status": "alive"}

    asyncio.run(once())


def test_options_names_methods_and_nothing_else(work: Workspace) -> None:
    async def once() -> None:
        async with application(work) as (_, ask):
            for path in (b"/people", b"/v1/webhooks", b"/use-cases/other"):
                reply = await ask("OPTIONS", path, origin="https://evil.example")
                assert reply.text == ""
                assert "access-control-allow-origin" not in reply.headers

    asyncio.run(once())


def test_static_files_stay_inside_their_folder(work: Workspace) -> None:
    ours = Path(work.home) / "keys"
    inside = ("console.py", "../../pyproject.toml", "etc/passwd", str(ours / "csrf.secret"))

    async def once() -> None:
        async with application(work) as (_, ask):
            assert (await ask("GET", b"/static/pilotage.css")).status_code == 200
            for up, file in itertools.product(
                (b"..", b"%2e%2e", b"..%2f..", b"....//", b"..%5c", b"%252e%252e"), inside
            ):
                for times in (1, 4):
                    path = b"/static/" + b"/".join([up] * times) + b"/" + file.encode()
                    reply = await ask("GET", path)
                    assert reply.status_code in (400, 404, 405), path

    asyncio.run(once())
