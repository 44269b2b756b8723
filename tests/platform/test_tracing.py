"""Spans: none where nobody asks, one tree per request where somebody does, and nobody waits for their exporter."""

from __future__ import annotations

import asyncio
import http.server
import re
import socket
import subprocess
import sys
import threading
import time
import timeit
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from structlog.testing import capture_logs
from tests.decisions.asking import PATH, QUESTION, asked, key_of
from tests.decisions.small import FILE, Model, serving

from pilotage.govern.records import SYSTEM
from pilotage.platform import tracing
from pilotage.platform.egress import Egress
from pilotage.platform.workspace import Workspace
from pilotage.usecase.flow import adopt, parse_definition

ON = {"OTEL_TRACES_EXPORTER": "otlp"}
GIVEN = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
TRACE = int("0af7651916cd43dd8448eb211c80319c", 16)


@contextmanager
def traced(monkeypatch: pytest.MonkeyPatch, **environment: str) -> Iterator[Callable[[], list[ReadableSpan]]]:
    """Spans are made, and given by what is yielded."""
    for name, value in {"OTEL_BSP_SCHEDULE_DELAY": "20", **environment}.items():
        monkeypatch.setenv(name, value)
    exporter = InMemorySpanExporter()
    assert tracing.configure({**ON, **environment}, exporter)

    def made() -> list[ReadableSpan]:
        assert tracing._provider is not None
        tracing._provider.force_flush()
        return list(exporter.get_finished_spans())

    try:
        yield made
    finally:
        tracing.close()


async def ask(work: Workspace, body: Any = None, path: str = PATH, model: Model | None = None, **headers: str) -> Any:
    definition = adopt(work, parse_definition(FILE, "small.yaml"), SYSTEM)
    ready = serving(definition, model or Model(lambda: 0.9))
    async with asked(work, ready, key_of(work)) as (client, _):
        return await client.post(path, json=body or QUESTION, headers=headers)


def test_a_question_is_one_tree_of_spans_without_what_was_asked(
    work: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with traced(monkeypatch) as made:
        reply = asyncio.run(ask(work, {**QUESTION, "thing": "canary-entity"}, traceparent=GIVEN))
        spans = {span.name: span for span in made()}
    route = "POST /v1/use-cases/{use_case:str}/decisions"
    drain = spans.pop("drain")
    assert drain.parent is None and drain.attributes == {"pilotage.decisions": 1}
    assert {*spans} == {route, "columns", "score", "record"}
    server = spans[route]
    assert server.kind.name == "SERVER" and server.parent is not None
    assert (server.context.trace_id, server.parent.span_id) == (TRACE, int("b7ad6b7169203331", 16))
    assert server.attributes == {
        "http.request.method": "POST",
        "http.route": "/v1/use-cases/{use_case:str}/decisions",
        "http.response.status_code": 200,
        "pilotage.request": reply.headers["x-request-id"],
        "pilotage.use_case": "small",
        "pilotage.decision": reply.json()["id"],
        "pilotage.version": "ver_1",
        "pilotage.stage": "assist",
        "pilotage.produced_by": "model",
        "pilotage.reason": "model",
    }
    for name in ("columns", "score", "record"):
        assert spans[name].parent == server.context
    assert "canary" not in "".join(span.to_json() for span in spans.values())


@pytest.mark.parametrize(
    "bad",
    ["", "rubbish", GIVEN[:-5], GIVEN.replace("00-", "ff-", 1), "00-" + "0" * 32 + "-b7ad6b7169203331-01", "é" * 9],
)
def test_a_traceparent_that_is_none_begins_a_trace_of_its_own(
    work: Workspace, monkeypatch: pytest.MonkeyPatch, bad: str
) -> None:
    with traced(monkeypatch) as made:
        reply = asyncio.run(ask(work, traceparent=bad.encode("latin-1")))  # type: ignore[arg-type]
        server = [span for span in made() if span.kind.name == "SERVER"]
    assert reply.status_code == 200
    assert [span.parent for span in server] == [None]
    assert server[0].context.trace_id != TRACE


def test_a_refusal_and_a_defect_are_spans_too(work: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    with traced(monkeypatch) as made:
        refused = asyncio.run(ask(work, {"thing": "canary-entity"}))
        (server,) = [span for span in made() if span.kind.name == "SERVER"]
    assert refused.status_code == 422
    assert server.attributes is not None and server.attributes["http.response.status_code"] == 422
    assert "canary" not in server.to_json()


def test_a_batch_is_one_span_however_many_rows(work: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    with traced(monkeypatch) as made:
        reply = asyncio.run(ask(work, {"requests": [QUESTION] * 40}, f"{PATH}:batch"))
        spans = made()
    assert reply.json()["answered"] == 40
    names = [span.name for span in spans if span.name != "drain"]
    assert sorted(names) == ["POST /v1/use-cases/{use_case:str}/decisions:batch", "batch"]
    batch = next(span for span in spans if span.name == "batch")
    assert batch.attributes == {"pilotage.use_case": "small", "pilotage.rows": 40}


def test_what_others_are_asked_carries_the_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    with receiving() as (port, got), traced(monkeypatch) as made:
        place = Egress(f"http://127.0.0.1:{port}", [f"127.0.0.1:{port}"])
        with tracing.span("outer"):
            place.post("/", b"{}", {}, 5, 1000)
        place.close()
        spans = {span.name: span for span in made()}
    (_, headers, _) = got[0]
    assert spans["POST"].context is not None
    assert headers["traceparent"] == (
        f"00-{spans['POST'].context.trace_id:032x}-{spans['POST'].context.span_id:016x}-03"
    )
    assert spans["POST"].parent == spans["outer"].context
    assert spans["POST"].attributes == {"server.address": f"127.0.0.1:{port}", "http.response.status_code": 200}


def test_the_standard_sampler_of_the_environment_is_followed(work: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    with traced(monkeypatch, OTEL_TRACES_SAMPLER="parentbased_always_off") as made:
        asyncio.run(ask(work))
        assert made() == []
        asyncio.run(ask(work, traceparent=GIVEN))
        assert len([span for span in made() if span.name != "drain"]) == 4


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"},
        {"OTEL_SDK_DISABLED": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"},
    ],
)
def test_where_nobody_asks_for_spans_there_are_none(environment: dict[str, str]) -> None:
    assert not tracing.configure(environment)
    assert tracing.span("score") is tracing.sent("POST") is tracing.NOTHING
    assert tracing.headers() == {}


def test_off_a_request_pays_less_than_two_microseconds() -> None:
    """What the hot path does for spans: three of them, and a look whether there are any."""

    def of_a_request() -> None:
        for name in ("columns", "score", "record"):
            with tracing.span(name):
                pass
        tracing.is_on()
        tracing.is_on()

    seconds = min(timeit.repeat(of_a_request, number=2_000, repeat=30)) / 2_000
    print(f"spans that are off: {seconds * 1e6:.2f} µs a request")
    assert seconds < 2e-6


def test_without_the_extra_nothing_of_it_is_loaded() -> None:
    code = (
        "import sys; sys.modules['opentelemetry'] = None; import pilotage.app; from pilotage.platform import tracing;"
        "assert not tracing.configure({}); print('fine')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout == "fine\n", done.stderr


def test_spans_reach_a_receiver_over_http_as_the_standard_says(
    work: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with receiving() as (port, got):
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{port}")
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "20")
        assert tracing.configure()
        asyncio.run(ask(work))
        tracing.close()
    assert got and {path for path, _, _ in got} == {"/v1/traces"}
    names, services = set(), set()
    for _, _, body in got:
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            services |= {each.value.string_value for each in resource.resource.attributes if each.key == "service.name"}
            names |= {span.name for scope in resource.scope_spans for span in scope.spans}
    assert services == {"pilotage"}
    assert {"columns", "score", "record"} < names


def test_a_receiver_that_is_down_slows_nothing_and_is_named_once(
    work: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # bound and never listened on: refused at once
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{nobody.getsockname()[1]}")
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "10")
        monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "64")
        monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "16")
        with capture_logs() as lines:
            assert tracing.configure()
            began = time.monotonic()
            for _ in range(5_000):  # many times what the queue holds
                with tracing.span("score"):
                    pass
            took = time.monotonic() - began
            until = time.monotonic() + 10
            while not lines and time.monotonic() < until:
                time.sleep(0.05)
            time.sleep(0.5)
            tracing.close()
    assert took < 2.0
    assert [line["event"] for line in lines] == ["spans_not_sent"]


def test_the_client_passes_the_trace_of_its_app_on(monkeypatch: pytest.MonkeyPatch) -> None:
    import opentelemetry.propagate  # as an app that uses it would
    from opentelemetry.sdk.trace import TracerProvider

    from pilotage.client import Client

    assert opentelemetry.propagate
    with receiving() as (port, got), TracerProvider().get_tracer("app").start_as_current_span("of the app") as span:
        with Client(f"http://127.0.0.1:{port}", "pk_test") as client:
            client.decide("small", QUESTION, fallback=False, timeout_ms=5_000)
        trace = span.get_span_context().trace_id
    assert re.fullmatch(rf"00-{trace:032x}-[0-9a-f]{{16}}-0[13]", got[0][1]["traceparent"])


@contextmanager
def receiving() -> Iterator[tuple[int, list[tuple[str, dict[str, str], bytes]]]]:
    """A server on loopback that takes whatever is posted; what came as path, headers and body."""
    got: list[tuple[str, dict[str, str], bytes]] = []

    class Taking(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            got.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Taking)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1], got
    finally:
        server.shutdown()
        server.server_close()
