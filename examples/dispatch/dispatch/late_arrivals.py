"""Asks Pilotage which flights will arrive late; the office's own rule answers where Pilotage is not there.

DISPATCH_PILOTAGE_URL and DISPATCH_PILOTAGE_KEY say where it is; without them the office works as it always did.
"""

import os
from datetime import UTC, datetime
from functools import cache
from typing import Any

import httpx
from sqlalchemy import Connection, RowMapping
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from .rule import Advice
from .rule import advise as advise_by_rule

USE_CASE = "late_arrival"
LONGEST_WAIT_SECONDS = 0.5
SENT = ("flight_id", "carrier", "origin", "destination", "tail_number", "distance_miles")


def pilotage_url() -> str:
    """Where Pilotage is; empty where the office runs without it."""
    return os.environ.get("DISPATCH_PILOTAGE_URL", "")


def advise(connection: Connection, flight: RowMapping, moment: datetime) -> Advice:
    """Advice on a flight as of the moment (UTC): what Pilotage answers, else what the rule says."""
    by_rule = advise_by_rule(connection, flight["flight_id"], flight["tail_number"], moment)
    departure = flight["scheduled_departure"].replace(tzinfo=UTC).isoformat()
    asked = {**{name: flight[name] for name in SENT}, "scheduled_departure": departure}
    answer = _post(f"/v1/use-cases/{USE_CASE}/decisions", asked)
    if answer is None:
        return by_rule
    if answer["produced_by"] != "model":
        agreed = bool(answer["positive"]) == by_rule.rebook
        return Advice(bool(answer["positive"]), by_rule.reason if agreed else answer["because"].rstrip("."))
    return Advice(
        bool(answer["positive"]), f"About {round(answer['probability'] * 10)} in 10 flights like this are late"
    )


def card_token(request: Request) -> Response:
    """A token with which this flight's page may show Pilotage's card, for a few minutes."""
    origin = f"{request.url.scheme}://{request.url.netloc}"
    wanted = {"entity": request.path_params["flight_id"], "origin": origin, "person": "planner"}
    token = _post(f"/v1/use-cases/{USE_CASE}/card-tokens", wanted)
    if token is None:
        return JSONResponse({"error": "There is no card for this flight."}, status_code=404)
    return JSONResponse({"token": token["token"]}, headers={"cache-control": "no-store"})


def card_script() -> dict[str, str] | None:
    """Version and integrity of Pilotage's card, as it served them first; None while Pilotage is not there."""
    try:
        return _card_script() if pilotage_url() else None
    except httpx.HTTPError:
        return None


@cache
def _card_script() -> dict[str, str]:
    response = _client().get("/embed/pilotage-card.json")
    response.raise_for_status()
    script: dict[str, str] = response.json()
    return script


@cache
def _client() -> httpx.Client:
    headers = {"authorization": f"Bearer {os.environ.get('DISPATCH_PILOTAGE_KEY', '')}"}
    return httpx.Client(base_url=pilotage_url(), headers=headers, timeout=LONGEST_WAIT_SECONDS)


def _post(path: str, body: dict[str, Any]) -> dict[str, Any] | None:
    """The answer, or None where there is none in time: the office goes on without it."""
    if not pilotage_url():
        return None
    try:
        response = _client().post(path, json=body)
        response.raise_for_status()
    except httpx.HTTPError:
        return None
    answer: dict[str, Any] = response.json()
    return answer
