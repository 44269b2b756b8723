"""Spans for OpenTelemetry, with the extra ``pilotage[otel]``; without it, or where nothing says to, they cost nothing.

What is set is read from the standard environment (OpenTelemetry specification, SDK environment variables): an
``OTEL_EXPORTER_OTLP_ENDPOINT`` or ``OTEL_TRACES_EXPORTER=otlp`` turns them on, ``OTEL_TRACES_SAMPLER`` says which are
kept. Context comes and goes as W3C Trace Context says (https://www.w3.org/TR/trace-context). No attribute holds an
entity or anything that was asked.
"""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import os
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Protocol

import structlog

from pilotage.platform.errors import SettingsError

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Tracer

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_CLOSE_SECONDS = 2.0
_CONTEXT = ("traceparent", "tracestate")

log = structlog.get_logger()


class Span(Protocol):
    """A piece of work that takes time."""

    def __enter__(self) -> Span: ...

    def __exit__(self, *raised: object) -> None: ...

    def say(self, **attributes: str | float | bool | None) -> None:
        """Add particulars; those that are None are left out. Dots in their names are written as ``__``."""

    def end(self, name: str, failed: bool, **attributes: str | float | bool | None) -> None:
        """Leave it, now that it is known what it was."""


class _Nothing:
    """What takes a span's place where there are none."""

    def __enter__(self) -> Span:
        return self

    def __exit__(self, *raised: object) -> None:
        return

    def say(self, **attributes: str | float | bool | None) -> None:
        return

    def end(self, name: str, failed: bool, **attributes: str | float | bool | None) -> None:
        return


class _Recorded:
    """A span of the SDK, as the current one while it is entered."""

    def __init__(self, tracer: Tracer, name: str, **more: Any) -> None:
        self._manager = tracer.start_as_current_span(name, record_exception=False, **more)
        self._span: Any = None

    def __enter__(self) -> Span:
        self._span = self._manager.__enter__()
        return self

    def __exit__(self, *raised: Any) -> None:
        self._manager.__exit__(*raised)

    def say(self, **attributes: str | float | bool | None) -> None:
        _say(self._span, attributes)

    def end(self, name: str, failed: bool, **attributes: str | float | bool | None) -> None:
        from opentelemetry.trace import StatusCode

        self._span.update_name(name)
        _say(self._span, attributes)
        if failed:
            self._span.set_status(StatusCode.ERROR)
        self._manager.__exit__(None, None, None)

    @property
    def trace(self) -> str:
        """The identifier of the trace, in hexadecimal digits."""
        return format(self._span.get_span_context().trace_id, "032x")


NOTHING: Span = _Nothing()
_tracer: Tracer | None = None
_provider: TracerProvider | None = None
_quiet: ContextVar[bool] = ContextVar("without spans", default=False)


def configure(environment: Mapping[str, str] | None = None, exporter: SpanExporter | None = None) -> bool:
    """Begin to trace where the environment says so; whether it does. ``exporter`` takes the place of OTLP over HTTP.

    Raises:
        SettingsError: the environment asks for it, and the extra is not installed.
    """
    global _tracer, _provider
    environment = os.environ if environment is None else environment
    if not _is_wanted(environment) or _tracer is not None:
        return _tracer is not None
    if importlib.util.find_spec("opentelemetry.sdk") is None:
        raise SettingsError(
            "The environment asks for OpenTelemetry spans, and what makes them is not installed.",
            'Install it: pip install "pilotage[otel]", or unset the variables that begin with OTEL_.',
        )
    _provider = _made(exporter)
    _tracer = _provider.get_tracer("pilotage")
    return True


def close() -> None:
    """Send what waits, for two seconds at most, and trace no more."""
    global _tracer, _provider
    provider, _tracer, _provider = _provider, None, None
    if provider is not None:
        closing = threading.Thread(target=provider.shutdown, name="traces", daemon=True)
        closing.start()
        closing.join(_CLOSE_SECONDS)


def span(name: str) -> Span:
    """A piece of work within what is being done: ``with span("score"): …``."""
    if _tracer is None or _quiet.get():
        return NOTHING
    return _Recorded(_tracer, name)


def served(name: str, headers: Iterable[tuple[bytes, bytes]]) -> tuple[Span, str]:
    """A request to this server, within the trace that its headers name, and the trace's identifier once entered.

    Headers that name none, or not as the standard says, begin a new trace.
    """
    from opentelemetry.trace import SpanKind
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    if _tracer is None:
        return NOTHING, ""
    carrier = {key.decode("latin-1"): value.decode("latin-1") for key, value in headers if key.decode() in _CONTEXT}
    context = TraceContextTextMapPropagator().extract(carrier)
    made = _Recorded(_tracer, name, context=context, kind=SpanKind.SERVER)
    made.__enter__()
    return made, made.trace


def sent(name: str) -> Span:
    """A request to somebody else; what goes with it are :func:`headers`, asked for within."""
    if _tracer is None or _quiet.get():
        return NOTHING
    from opentelemetry.trace import SpanKind

    return _Recorded(_tracer, name, kind=SpanKind.CLIENT)


def headers() -> dict[str, str]:
    """The trace that is being told, for a request to somebody else; empty where there is none."""
    if _tracer is None:
        return {}
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    return carrier


def say(**attributes: str | float | bool | None) -> None:
    """Add particulars to what is being done."""
    if _tracer is not None and not _quiet.get():
        from opentelemetry.trace import get_current_span

        _say(get_current_span(), attributes)


def is_on() -> bool:
    """Whether spans are made."""
    return _tracer is not None


@contextlib.contextmanager
def unspanned() -> Iterator[None]:
    """Make no spans within: for the thousand rows of a batch, which is one span itself."""
    token = _quiet.set(True)
    try:
        yield
    finally:
        _quiet.reset(token)


def _say(recorded: Any, attributes: Mapping[str, str | float | bool | None]) -> None:
    if recorded.is_recording():
        for name, value in attributes.items():
            if value is not None:
                recorded.set_attribute(name.replace("__", "."), value)


def _is_wanted(environment: Mapping[str, str]) -> bool:
    if environment.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    exporters = environment.get("OTEL_TRACES_EXPORTER", "")
    if exporters:
        return exporters != "none"
    return any(environment.get(name) for name in _ENDPOINTS)


def _made(exporter: SpanExporter | None) -> TracerProvider:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    from pilotage import __version__

    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)  # it complains at each try; we say it once
    named = {} if os.environ.get("OTEL_SERVICE_NAME") else {"service.name": "pilotage"}
    provider = TracerProvider(
        resource=Resource.create({**named, "service.version": __version__}), shutdown_on_exit=False
    )
    provider.add_span_processor(BatchSpanProcessor(_telling_once(exporter or _over_http())))
    return provider


def _over_http() -> SpanExporter:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return OTLPSpanExporter()


def _telling_once(exporter: SpanExporter) -> SpanExporter:
    """An exporter that says when spans cannot be sent any more, and when they can again. Those of the meantime are
    dropped: their queue is bounded (``OTEL_BSP_MAX_QUEUE_SIZE``), and nobody waits for it.
    """
    from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

    class Telling(SpanExporter):
        is_down = False

        def export(self, spans: Any) -> SpanExportResult:
            result = exporter.export(spans)
            failed = result is not SpanExportResult.SUCCESS
            if failed and not self.is_down:
                log.warning("spans_not_sent", why="the exporter's endpoint does not take them; answers go on")
            elif self.is_down and not failed:
                log.info("spans_sent_again")
            self.is_down = failed
            return result

        def shutdown(self) -> None:
            exporter.shutdown()

        def force_flush(self, timeout_millis: int = 30_000) -> bool:
            return exporter.force_flush(timeout_millis)

    return Telling()
