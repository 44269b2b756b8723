"""What may be the address of an endpoint, as a text; whether it may be called is the egress' to say."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from pilotage.platform.errors import InvalidRequest

URL_LETTERS_MAX = 1000
DESCRIPTION_LETTERS_MAX = 200
_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?|[0-9a-f]*:[0-9a-f:.]*", re.ASCII | re.IGNORECASE)


def checked_url(text: str) -> str:
    """The address, if it is one that can be written into a request.

    Raises:
        InvalidRequest: it is too long, holds letters that no address has, or names no host.
    """
    url = text.strip()
    is_plain = url.isascii() and url.isprintable() and " " not in url
    if not url or len(url) > URL_LETTERS_MAX or not is_plain:
        raise InvalidRequest(
            f"An address must be plain text of 1 to {URL_LETTERS_MAX} letters (got {len(url)}).",
            "Write https://host/path; other letters as %XX.",
        )
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        host = ""
    if len(host) > 253 or not _HOST.fullmatch(host):
        raise InvalidRequest("This address names no host that can be called.", "Write https://host/path.")
    return url


def split(url: str) -> tuple[str, str]:
    """The place that connections lead to, and the path asked for there."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}", parts.path or "/"


def checked_description(text: str) -> str:
    """What an endpoint is for, in a few words.

    Raises:
        InvalidRequest: it is longer than 200 letters.
    """
    description = " ".join(text.split())
    if len(description) > DESCRIPTION_LETTERS_MAX:
        raise InvalidRequest(
            f"A description has at most {DESCRIPTION_LETTERS_MAX} letters (got {len(description)}).", "Shorten it."
        )
    return description
