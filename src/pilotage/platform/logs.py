"""What the running program writes about itself: one JSON line per event, with secrets blackened."""

from __future__ import annotations

import logging
import re
import sys
from typing import Any

import structlog

_SECRETS = re.compile(
    r"pk_[A-Za-z0-9_-]{8,}"  # keys of apps
    r"|whsec_[A-Za-z0-9+/_-]{8,}={0,2}"  # secrets of webhooks
    r"|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+"  # signed tokens
    r"|(?<=://)[^\s/@:]+:[^\s/@]+(?=@)"  # name and password in an address
    r"|(?i:(?<=password=)|(?<=secret=)|(?<=token=))[^\s&;,]+"
)
BLACK = "█████"


def configure(level: str = "INFO") -> None:
    """Write events at this level and above to the error stream."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,  # the plain trace: without the values of local variables
            blacken,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping().get(level.upper(), 20)),
        logger_factory=lambda *arguments: structlog.WriteLogger(sys.stderr),
    )


def blacken(logger: Any, name: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Replace what looks like a secret in any text of an event."""
    return {key: without_secrets(value) if isinstance(value, str) else value for key, value in event.items()}


def without_secrets(text: str) -> str:
    """The text, with keys, tokens and passwords blackened."""
    return _SECRETS.sub(BLACK, text)
