"""What the running program writes about itself: one line per event, with secrets blackened."""

from __future__ import annotations

import logging
import re
import sys
import traceback
from typing import Any, Literal

import structlog

from pilotage.platform.requests import current

_SECRETS = re.compile(
    r"pk_[A-Za-z0-9_-]{8,}"  # keys of apps
    r"|whsec_[A-Za-z0-9+/_-]{8,}={0,2}"  # secrets of webhooks
    r"|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+"  # signed tokens
    r"|(?<=://)[^\s/@:]+:[^\s/@]+(?=@)"  # name and password in an address
    r"|(?i:(?<=password=)|(?<=secret=)|(?<=token=))[^\s&;,]+"
)
BLACK = "█████"


def configure(level: str = "INFO", form: Literal["text", "json"] = "json") -> None:
    """Write events at this level and above to the error stream: as JSON, or as text for people (logfmt)."""
    order = ("timestamp", "level", "event")
    as_text = structlog.processors.LogfmtRenderer(key_order=order, drop_missing=True, bool_as_flag=False)
    structlog.configure(
        processors=[
            within_request,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            with_trace,
            blacken,
            structlog.processors.JSONRenderer() if form == "json" else as_text,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping().get(level.upper(), 20)),
        logger_factory=lambda *arguments: structlog.WriteLogger(sys.stderr),
    )


class OfLibraries(logging.Handler):
    """Writes what libraries log as events like ours: ``event`` is "library", ``logger`` its name for itself."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one; a library that gives its message wrong arguments has only the message written."""
        try:
            said = record.getMessage()
        except (TypeError, ValueError):
            said = str(record.msg)
        error = record.exc_info[1] if record.exc_info else None
        structlog.get_logger().log(record.levelno, "library", logger=record.name, message=said, exc_info=error)


def take_in_libraries() -> None:
    """From now on warnings and errors that libraries log with Python's ``logging`` are events of this program."""
    logging.basicConfig(level=logging.WARNING, handlers=[OfLibraries()], force=True)
    logging.captureWarnings(True)


def within_request(logger: Any, name: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Add which request it happened in, and of which trace and decision as far as that is known."""
    about = current.get()
    if about is not None:
        known = {"request": about.id, "decision": about.decision, "trace": about.trace}
        event.update({key: text for key, text in known.items() if text})
    return event


def with_trace(logger: Any, name: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Turn ``exc_info`` into a trace: without the values of variables, and without the error's own words, which may
    quote what was asked.
    """
    error = event.pop("exc_info", None)
    if isinstance(error, BaseException):
        frames = "".join(traceback.format_tb(error.__traceback__))
        event["exception"] = f"{frames}{type(error).__name__}"
    return event


def blacken(logger: Any, name: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Replace what looks like a secret in any text of an event."""
    return {key: without_secrets(value) if isinstance(value, str) else value for key, value in event.items()}


def without_secrets(text: str) -> str:
    """The text, with keys, tokens and passwords blackened."""
    return _SECRETS.sub(BLACK, text)
