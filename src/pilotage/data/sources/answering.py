"""One answer of a REST endpoint: asked again while it is busy, within a deadline, and never from another host."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from pilotage.data.sources.asked import Asked
from pilotage.data.sources.files.locating import shown
from pilotage.platform.instants import as_utc

if TYPE_CHECKING:
    import httpx

PAGE_BYTES_MAX = 64 * 1024 * 1024

_BUSY = (408, 425, 429, 500, 502, 503, 504)
_REDIRECTS_MAX = 5
_SILENCE_SECONDS = 30.0
_FIRST_PAUSE_SECONDS = 1.0
_PAUSE_SECONDS_MAX = 60.0

_TRIED_SECONDS = 120.0

pause = time.sleep
_gave_up_at: dict[tuple[str, str], float] = {}
"""When the last wait for an address was in vain: a sync that tries again asks once, and does not wait as long again."""


def answer(
    asked: Asked, client: httpx.Client, url: str, parameters: dict[str, str], until: float, missing_is_end: bool
) -> httpx.Response | None:
    """The answer, read whole; None where there is none any more (404 after the first page).

    ``until`` is a deadline of the monotonic clock. A server that says that it is busy is waited for; one that says
    nothing at all only after the first page, as a database would be: whoever asks may try again.

    Raises:
        SourceUnavailable: it stays busy or silent until the deadline, refuses, redirects elsewhere or is too large.
    """
    import httpx

    waited = _FIRST_PAUSE_SECONDS
    while True:
        try:
            response = _followed(asked, client, url, parameters, until)
            reason = f"it answers {response.status_code}"
        except httpx.TransportError as error:
            response, reason = None, _reason(error)
        except httpx.InvalidURL:
            raise asked.failure(f"Source {asked.name}: `rest.url` is no address.", "Write https://host/path.") from None
        if response is not None and response.status_code not in _BUSY:
            return _judged(asked, response, url, missing_is_end)
        if response is None and not missing_is_end:
            raise asked.unreachable(
                f"Source {asked.name} does not answer at {shown(url)}: {reason}.",
                "Check the address, and ask who runs it.",
            )
        wanted = _retry_after(response) if response is not None else None
        seconds = max(waited, wanted or 0.0)
        if time.monotonic() + seconds > until or _was_waited_for(asked, url):
            _gave_up_at[asked.name, shown(url)] = time.monotonic()
            raise asked.unreachable(
                f"Source {asked.name} does not answer at {shown(url)}: {reason}, until its timeout of "
                f"{asked.source.timeout}.",
                "Ask who runs it, or raise `timeout`.",
            )
        pause(seconds)
        waited = min(waited * 2, _PAUSE_SECONDS_MAX)


def _was_waited_for(asked: Asked, url: str) -> bool:
    """Whether the deadline for this address has passed lately without an answer."""
    since = _gave_up_at.get((asked.name, shown(url)))
    return since is not None and time.monotonic() - since < _TRIED_SECONDS


def _followed(asked: Asked, client: httpx.Client, url: str, parameters: dict[str, str], until: float) -> httpx.Response:
    """The answer after redirections within the host.

    Raises:
        SourceUnavailable: it redirects to another host, which must not get our credentials, or in a circle.
    """
    for _ in range(_REDIRECTS_MAX):
        response = _read(asked, client, url, parameters, until)
        location = response.headers.get("location")
        if response.status_code not in (301, 302, 303, 307, 308) or not location:
            return response
        onward = urljoin(str(response.url), location)
        here, there = urlsplit(str(response.url)), urlsplit(onward)
        if here.hostname != there.hostname or (here.scheme, there.scheme) == ("https", "http"):
            raise asked.failure(
                f"Source {asked.name} redirects to {there.scheme}://{there.hostname}, which is not followed: it would "
                f"get the credentials.",
                "Give that address in `rest.url`, if it is right.",
            )
        url, parameters = onward, {}
    raise asked.failure(f"Source {asked.name} redirects in a circle at {shown(url)}.", "Check `rest.url`.")


def _read(asked: Asked, client: httpx.Client, url: str, parameters: dict[str, str], until: float) -> httpx.Response:
    import httpx

    silence = max(0.05, min(_SILENCE_SECONDS, until - time.monotonic()))
    merged = httpx.URL(url).copy_merge_params(parameters) if parameters else httpx.URL(url)
    with client.stream("GET", merged, timeout=httpx.Timeout(silence)) as response:
        content = bytearray()
        for chunk in response.iter_bytes():
            content += chunk
            if len(content) > PAGE_BYTES_MAX:
                raise asked.failure(
                    f"Source {asked.name}: one answer has more than {PAGE_BYTES_MAX:,} bytes.",
                    "Ask for smaller pages: `rest.size` and `rest.size_parameter`.",
                )
            if time.monotonic() > until:
                raise httpx.ReadTimeout("it answers too slowly")
        headers = [(n, v) for n, v in response.headers.multi_items() if n not in ("content-encoding", "content-length")]
        return httpx.Response(response.status_code, headers=headers, content=bytes(content), request=response.request)


def _judged(asked: Asked, response: httpx.Response, url: str, missing_is_end: bool) -> httpx.Response | None:
    if response.status_code == 404 and missing_is_end:
        return None
    if response.status_code == 204:
        return None
    if response.is_success:
        return response
    repair = "Check `rest.url` and its parameters."
    if response.status_code in (401, 403):
        names = ", ".join(asked.source.rest.headers) if asked.source.rest else ""
        repair = f"Check the headers it is asked with ({names or 'none'}), and their rights."
    raise asked.failure(f"Source {asked.name}: {shown(url)} answers {response.status_code}.", repair)


def _retry_after(response: httpx.Response) -> float | None:
    """Seconds that the server asks to wait: a number, or an instant (RFC 9110, 10.2.3)."""
    text = response.headers.get("retry-after", "").strip()
    if text.isdigit():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, (as_utc(moment) - datetime.now(UTC)).total_seconds())


def _reason(error: httpx.TransportError) -> str:
    """What went wrong, in our words: those of the library may repeat what was sent."""
    import httpx

    if isinstance(error, httpx.TimeoutException):
        return "it is silent"
    if isinstance(error, httpx.ConnectError):
        return "it cannot be reached"
    return f"the connection broke ({type(error).__name__})"
