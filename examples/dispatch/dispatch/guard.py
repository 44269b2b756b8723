"""What every answer carries and every change must prove: browsers may only act from our own pages."""

from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .late_arrivals import pilotage_url

CONTENT_SECURITY_POLICY = "; ".join(
    (
        f"default-src 'self' {pilotage_url()}".strip(),
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "object-src 'none'",
    )
)
HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    # Not "no-referrer": browsers would then send `Origin: null` with our own forms.
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
}


class SafeHeaders:
    """Adds the security headers to every answer."""

    def __init__(self, application: ASGIApp) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves the request with the headers added to its answer."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        await self._application(scope, receive, send_with_headers if scope["type"] == "http" else send)


class OwnOrigin:
    """Refuses a POST that a browser sends from another site's page.

    Browsers name the page's origin on every POST; a program that is no browser names none and carries no one's cookies.
    """

    def __init__(self, application: ASGIApp) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves the request, or answers 403."""
        if scope["type"] == "http" and scope["method"] == "POST" and _foreign(Headers(scope=scope)):
            refusal = PlainTextResponse("This form was sent from another site.", status_code=403)
            await refusal(scope, receive, send)
            return
        await self._application(scope, receive, send)


def _foreign(headers: Headers) -> bool:
    origin = headers.get("origin")
    if origin is None:
        return headers.get("sec-fetch-site", "none") not in ("none", "same-origin")
    return urlsplit(origin).netloc != headers.get("host")
