"""The pages planners see."""

from datetime import datetime

from anyio.to_thread import run_sync
from sqlalchemy import Connection
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from .board import ORIGINS, read_board
from .clock import read_clock
from .flight import read_flight
from .late_arrivals import card_script, pilotage_url
from .office import Office
from .rebooking import LONGEST_NOTE, LONGEST_PLANNER, find_fault, record_rebooking
from .rendering import load_templates

templates = load_templates()


def show_board(request: Request) -> Response:
    """The departures board: `origin`, `show=rebook` and `page` choose what is on it."""
    asked = request.query_params.get("origin", "")
    origin = asked if asked in ORIGINS else None
    alerted = request.query_params.get("show") == "rebook"
    with _office(request).engine.connect() as connection:
        now = read_clock(connection).now
        board = read_board(connection, now, origin, alerted, _page(request))
    context = {"board": board, "now": now, "origin": origin, "origins": ORIGINS, "alerted": alerted}
    return templates.TemplateResponse(request, "board.html", context)


def show_flight(request: Request) -> Response:
    """One flight, or the page that says there is none."""
    with _office(request).engine.connect() as connection:
        return _flight_page(request, connection, request.path_params["flight_id"], fault=None)


async def prepare_rebooking(request: Request) -> Response:
    """Takes the rebooking form and goes back to the flight."""
    async with request.form() as form:
        planner, note = (" ".join(str(form.get(field, "")).split()) for field in ("planner", "note"))
    return await run_sync(_record, request, planner, note)


def not_found(request: Request, _error: Exception) -> Response:
    """A page for an address that leads nowhere."""
    with _office(request).engine.connect() as connection:
        now = read_clock(connection).now
    return templates.TemplateResponse(request, "not_found.html", {"now": now}, status_code=404)


def _record(request: Request, planner: str, note: str) -> Response:
    flight_id: str = request.path_params["flight_id"]
    fault = find_fault(planner, note)
    if fault is not None:
        with _office(request).engine.connect() as connection:
            return _flight_page(request, connection, flight_id, fault)
    with _office(request).engine.begin() as connection:
        if not record_rebooking(connection, flight_id, planner, note, _now(connection)):
            raise HTTPException(404)
    return RedirectResponse(request.url_for("flight", flight_id=flight_id), status_code=303)


def _flight_page(request: Request, connection: Connection, flight_id: str, fault: str | None) -> Response:
    now = _now(connection)
    flight = read_flight(connection, flight_id, now)
    if flight is None:
        raise HTTPException(404)
    context = {
        "flight": flight,
        "now": now,
        "fault": fault,
        "longest_planner": LONGEST_PLANNER,
        "longest_note": LONGEST_NOTE,
        "pilotage": pilotage_url(),
        "card": card_script() if flight.alert else None,
    }
    return templates.TemplateResponse(request, "flight.html", context, status_code=422 if fault else 200)


def _now(connection: Connection) -> datetime:
    return read_clock(connection).now


def _page(request: Request) -> int:
    text = request.query_params.get("page", "1")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 1


def _office(request: Request) -> Office:
    office: Office = request.app.state.office
    return office
