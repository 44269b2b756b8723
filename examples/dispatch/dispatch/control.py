"""The two addresses meant for programs: moving the clock and asking whether the office is open."""

import json
from datetime import datetime, timedelta

from anyio.to_thread import run_sync
from starlette.requests import Request
from starlette.responses import JSONResponse

from .advance import advance
from .clock import require_clock
from .office import Office

LOOPBACK = ("127.0.0.1", "::1")
LONGEST_MOVE_HOURS = 24 * 31


async def advance_clock(request: Request) -> JSONResponse:
    """Moves the clock by `hours` (form field or JSON); only from this machine."""
    if request.client is None or request.client.host not in LOOPBACK:
        return JSONResponse({"error": "The clock is moved from this machine only."}, status_code=403)
    hours = await _hours(request)
    if hours is None:
        return JSONResponse({"error": f"hours must be above 0 and at most {LONGEST_MOVE_HOURS}."}, status_code=400)
    now = await run_sync(_move, request.app.state.office, timedelta(hours=hours))
    return JSONResponse({"now": now.isoformat()})


def health(request: Request) -> JSONResponse:
    """Answers once the database does."""
    office: Office = request.app.state.office
    return JSONResponse({"status": "open", "now": require_clock(office.engine).now.isoformat()})


def _move(office: Office, distance: timedelta) -> datetime:
    return advance(office, require_clock(office.engine).now + distance)


async def _hours(request: Request) -> float | None:
    try:
        if request.headers.get("content-type", "").startswith("application/json"):
            body = await request.json()
            given = body.get("hours") if isinstance(body, dict) else None
        else:
            async with request.form() as form:
                given = form.get("hours")
        hours = float(given) if isinstance(given, (str, int, float)) else 0.0
    except (json.JSONDecodeError, UnicodeDecodeError, ValueError):
        return None
    return hours if 0 < hours <= LONGEST_MOVE_HOURS else None
