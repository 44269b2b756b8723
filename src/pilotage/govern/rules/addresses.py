"""Where a log-in may lead to: only to one of our own pages."""

from __future__ import annotations

from urllib.parse import urlsplit


def local_path(wanted: str | None) -> str:
    """The path that was wanted, if it is one of ours; the front page otherwise.

    Refuses other hosts in every spelling that browsers follow: ``//host``, ``/\\host``, schemes, control characters.
    """
    if not wanted or not wanted.startswith("/") or wanted.startswith("//"):
        return "/"
    if "\\" in wanted or not wanted.isprintable():
        return "/"
    parts = urlsplit(wanted)
    return "/" if parts.scheme or parts.netloc else wanted
