"""The cookies, for sessions and for our own forms: not readable by scripts, not sent along from other sites."""

from __future__ import annotations

from litestar.datastructures import Cookie

from pilotage.platform.workspace import Workspace

SESSION = "pilotage_session"
CSRF = "pilotage_csrf"
PROVIDER = "pilotage_provider"
"""Between the two halves of a log-in by an OpenID provider."""


def session_cookie(work: Workspace, token: str) -> Cookie:
    """The cookie for a session that begins now."""
    return Cookie(
        key=SESSION,
        value=token,
        max_age=work.settings.session_hours * 3600,
        httponly=True,
        samesite="lax",
        secure=is_secure(work),
        path="/",
    )


def provider_cookie(work: Workspace, kept: str, minutes: int) -> Cookie:
    """The cookie with which somebody is sent to the OpenID provider; only our log-in pages see it again."""
    return Cookie(
        key=PROVIDER,
        value=kept,
        max_age=minutes * 60,
        httponly=True,
        samesite="lax",
        secure=is_secure(work),
        path="/log-in",
    )


def is_secure(work: Workspace) -> bool:
    """Whether browsers reach us by https, so that cookies never travel in clear."""
    return work.settings.address.startswith("https://")
