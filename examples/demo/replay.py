"""Moves the office's clock through some days, and lets its planners and reviewers act as people would."""

from __future__ import annotations

import dataclasses
import sqlite3
import time
from collections.abc import Sequence

import httpx
from examples.demo.plan import USE_CASE, Plan

_SECONDS = 120


@dataclasses.dataclass(frozen=True)
class Office:
    """The office's doors and ours, as its programs use them."""

    plan: Plan
    app_key: str
    builder_key: str

    def advance(self, hours: float) -> str:
        """Move the clock; the flights that are due are asked about on the way. Returns the time it then is."""
        answer = httpx.post(f"{self.plan.dispatch_url}/clock/advance", json={"hours": hours}, timeout=_SECONDS)
        answer.raise_for_status()
        return str(answer.json()["now"])

    def sync(self) -> None:
        """Let Pilotage read what the office knows by now, instead of waiting for its next round."""
        url = f"{self.plan.pilotage_url}/v1/use-cases/{USE_CASE}/sync"
        headers = {"authorization": f"Bearer {self.builder_key}"}
        new = httpx.post(url, headers=headers, timeout=_SECONDS).raise_for_status().json()
        if any(each["rows_new"] for each in new):
            time.sleep(self.plan.settle_seconds)  # until the workers, who look several times a second, have reloaded

    def replay(self, hours: float) -> str:
        """Live so many hours, step by step."""
        now = ""
        for _ in range(round(hours / self.plan.step_hours)):
            now = self.advance(self.plan.step_hours)
            self.sync()
        return now

    def card(self, flight: str) -> httpx.Client:
        """The card of one flight, as a planner's browser holds it."""
        headers = {"authorization": f"Bearer {self.app_key}"}
        wanted = {"entity": flight, "origin": self.plan.dispatch_url, "person": "planner"}
        url = f"{self.plan.pilotage_url}/v1/use-cases/{USE_CASE}/card-tokens"
        answer = httpx.post(url, json=wanted, headers=headers, timeout=_SECONDS)
        answer.raise_for_status()
        bearer = {"authorization": f"Bearer {answer.json()['token']}", "origin": self.plan.dispatch_url}
        return httpx.Client(base_url=self.plan.pilotage_url, headers=bearer, timeout=_SECONDS)

    def flights_asked_about(self, since: str) -> list[tuple[str, bool, bool | None]]:
        """(flight, advised to rebook, arrived late or not known yet), in the order in which they were asked about."""
        database = self.plan.environment()["DISPATCH_DATABASE"].removeprefix("sqlite:///")
        query = """
            SELECT alerts.flight_id, alerts.rebook, outcomes.delay_minutes > 30
            FROM alerts LEFT JOIN outcomes USING (flight_id)
            WHERE alerts.raised_at > ? ORDER BY alerts.raised_at, alerts.flight_id"""
        with sqlite3.connect(database) as connection:
            rows = connection.execute(query, (since.replace("T", " "),)).fetchall()
        return [(flight, bool(rebook), None if late is None else bool(late)) for flight, rebook, late in rows]


def act_as_planners(office: Office, since: str, most: int = 40) -> dict[str, int]:
    """Open the cards of flights asked about since then and say what planners would: how often each was said.

    The planners are played by this program. They judge by what later happened: advice that came true is useful, advice
    that did not is wrong; every eighth card is overridden and every tenth escalated, so that both can be seen.
    """
    said: dict[str, int] = {}
    for flight, advised, late in office.flights_asked_about(since):
        if sum(said.values()) >= most:
            break
        if late is None:
            continue
        with office.card(flight) as card:
            state = card.get("/v1/card").raise_for_status().json()
            if state["state"] == "nothing":
                continue
            kind, reason = _word(sum(said.values()), came_true=advised == late, offered=state["actions"])
            card.post("/v1/card/feedback", json={"kind": "shown", "reason": ""}).raise_for_status()
            card.post("/v1/card/feedback", json={"kind": kind, "reason": reason}).raise_for_status()
            said[kind] = said.get(kind, 0) + 1
    return said


_REASONS = {
    "escalate": "Two connecting groups are on board.",
    "override": "I know something the model does not",
}


def _word(number: int, came_true: bool, offered: Sequence[str]) -> tuple[str, str]:
    """What is said of this card: the first that it offers. One on its way to a reviewer cannot be escalated again."""
    usual = "useful" if came_true else "wrong"
    wanted = "escalate" if number % 10 == 9 else "override" if number % 8 == 7 else usual
    kind = next(one for one in (wanted, usual, *_REASONS) if one in offered)
    return kind, _REASONS.get(kind, "")
