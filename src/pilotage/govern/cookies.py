"""The cookies, for sessions and for our own forms: not readable by scripts, not sent along from other sites."""

from __future__ import annotations

from litestar.datastructures import Cookie

from pilotage.platform.workspace import Workspace

SESSION = "pilotage_session"
CSRF = "pilotage_csrf"


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


def is_secure(work: Workspace) -> bool:
    """Whether browsers reach us by https, so that cookies never travel in clear."""
    return work.settings.address.startswith("https://")
