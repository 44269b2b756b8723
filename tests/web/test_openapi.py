"""The document of what a key may ask: complete, of its own use cases only, and true."""

from __future__ import annotations

import asyncio
import contextlib
import re
import sqlite3
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from litestar.routes import HTTPRoute
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from pilotage.app import Application
from pilotage.data import flow as data
from pilotage.govern import flow as governing
from pilotage.govern.records import SYSTEM, Grant, Role
from pilotage.platform.workspace import Workspace
from pilotage.usecase.flow import adopt, parse_definition
from pilotage.usecase.records import Definition
from pilotage.web.console import build_console
from tests.decisions.asking import QUESTION, asked, key_of
from tests.decisions.test_service import FILE, Model, serving
from tests.living import visitor

ADDRESS = "/v1/openapi.json"
AS_DOCUMENTED = (status_code_conformance, content_type_conformance, response_schema_conformance)


@pytest.fixture(autouse=True)
def definitions(work: Workspace) -> list[Definition]:
    other = FILE.replace("use_case: small", "use_case: other")
    return [adopt(work, parse_definition(text, "a.yaml"), SYSTEM) for text in (FILE, other)]


def document(work: Workspace, definition: Definition, use_case: str = "small") -> dict[str, Any]:
    async def once() -> httpx.Response:
        async with asked(work, serving(definition, Model(lambda: 0.6)), key_of(work, use_case=use_case)) as (client, _):
            return await client.get(ADDRESS)

    answer = asyncio.run(once())
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_it_names_the_requests_of_the_keys_own_use_cases_and_of_no_other(
    work: Workspace, definitions: list[Definition]
) -> None:
    found = document(work, definitions[0])
    assert found["openapi"] == "3.1.0"
    assert {"/v1/use-cases/small/decisions", "/v1/use-cases/small/decisions:batch"} <= set(found["paths"])
    assert "other" not in str(found["paths"].keys())
    assert "other.Request" not in found["components"]["schemas"]
    every = document(work, definitions[0], "*")
    assert {"small.Request", "other.Request"} <= set(every["components"]["schemas"])


def test_every_route_under_v1_is_in_it(work: Workspace, definitions: list[Definition]) -> None:
    found = document(work, definitions[0])
    for route in build_console(work).routes:
        if isinstance(route, HTTPRoute) and route.path_format.startswith("/v1/"):
            path = re.sub(r"{(\w+)(?::\w+)?}", r"{\1}", route.path_format)
            for handler in route.route_handlers:
                for method in set(handler.http_methods) - {"OPTIONS", "HEAD"}:
                    assert method.lower() in found["paths"][path], f"{method} {path}"


def test_each_reference_leads_somewhere_and_examples_fit(work: Workspace, definitions: list[Definition]) -> None:
    found = document(work, definitions[0])
    for name in set(re.findall(r"#/components/schemas/([\w.\[\]]+)", str(found))):
        assert name in found["components"]["schemas"]
    asked_for = found["paths"]["/v1/use-cases/small/decisions"]["post"]["requestBody"]["content"]["application/json"]
    schema = found["components"]["schemas"]["small.Request"]
    jsonschema.validate(asked_for["example"], schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**QUESTION, "more": 1}, schema)


def test_the_requests_of_a_use_case_are_those_of_its_schema_with_what_the_source_has(
    work: Workspace, definitions: list[Definition], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "things.db")) as database:
        database.execute("CREATE TABLE things (thing INTEGER PRIMARY KEY, size REAL, at TIMESTAMP, colour TEXT)")
        database.execute("INSERT INTO things VALUES (1, 7, '2013-12-01 00:00:00', 'red')")
        database.commit()
    monkeypatch.setenv("THINGS", f"sqlite:///{tmp_path / 'things.db'}")
    data.sync(work, definitions[0])

    async def both() -> list[Any]:
        async with asked(work, serving(definitions[0], Model(lambda: 0.6)), key_of(work)) as (client, _):
            return [(await client.get(path)).json() for path in (ADDRESS, "/v1/use-cases/small/schema")]

    found, schema = asyncio.run(both())
    assert schema["properties"]["thing"] == {"anyOf": [{"type": "string"}, {"type": "integer"}]}
    assert found["components"]["schemas"]["small.Request"] == schema


def test_people_read_it_in_the_console_without_script_in_the_page(work: Workspace) -> None:
    with visitor(work, Role.VIEWER, "small") as anna:
        page = anna.get("/interface")
        assert page.status_code == 200
        assert "/v1/use-cases/small/decisions:batch" in page.text
        assert "/v1/use-cases/other/" not in page.text
        assert not re.search(r"<script(?![^>]*src=)|\son\w+=|javascript:", page.text)
        assert "default-src 'self'" in page.headers["content-security-policy"]
        (script,) = re.findall(r'src="(/static/try\.js[^"]*)"', page.text)
        assert anna.get(script).status_code == 200


@pytest.fixture
def running(work: Workspace, definitions: list[Definition]) -> Iterator[tuple[Application, str]]:
    key = key_of(work)
    app = Application(work)
    app.service.following.servings = {"small": serving(definitions[0], Model(lambda: 0.6))}
    app.service.following.keys = governing.all_keys(work)
    yield app, key
    app.service.close()


@pytest.mark.parametrize(("by", "examples"), [("app", 5), ("admin", 8), ("nobody", 2)])
def test_whatever_is_sent_by_the_document_no_answer_is_a_defect(
    work: Workspace, running: tuple[Application, str], by: str, examples: int
) -> None:
    """Schemathesis sends what fits and what does not, some examples per operation: none ends in a 5xx, but for a sync
    whose source cannot be reached (503), and each reply is as the document says, in status, type and schema.

    By a key that may ask one use case, by one that may do everything, so that nothing ends at the guard, and by nobody.
    """
    app, key = running
    admin = governing.make_key(work, SYSTEM, "admin", (Grant(Role.ADMIN),), 1_000_000)
    app.service.following.keys = governing.all_keys(work)
    sent_as = {"app": {"Authorization": f"Bearer {key}"}, "admin": {"Authorization": f"Bearer {admin}"}, "nobody": {}}
    schema = schemathesis.openapi.from_asgi(ADDRESS, app, headers=sent_as["admin"])
    declared = {(route.method, re.sub(r"{(\w+):\w+}", r"{\1}", route.path)) for route in app.policies}
    expected = {(method, path) for method, path in declared if path.startswith("/v1/") and method != "OPTIONS"}
    asked: Counter[tuple[str, str]] = Counter({("GET", ADDRESS): 1})  # it was read first
    statuses: Counter[int] = Counter()
    for each in schema.get_all_operations():
        operation = each.ok()  # type: ignore[union-attr]

        @settings(
            max_examples=examples,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def send(case: Any) -> None:
            answer = case.call(headers=sent_as[by])
            asked[case.method.upper(), case.path.replace("/small/", "/{use_case}/")] += 1
            statuses[answer.status_code] += 1
            unread = case.path.endswith("/sync") and answer.json()["code"] == "source-unavailable"
            assert answer.status_code < 500 or (answer.status_code == 503 and unread), (case, answer.text)
            case.validate_response(answer, checks=AS_DOCUMENTED)
            if by == "nobody":
                assert answer.status_code in (400, 401, 404, 405, 422), (case, answer.text)

        send()
    print(f"{asked.total()} requests as {by}, each reply as documented: {dict(statuses)}")
    assert expected <= {*asked}, "every operation was asked"
