"""Whether this worker can answer, and what of it does not work as it should although it can. Needs no database."""

from __future__ import annotations

from msgspec import Struct

from pilotage.decisions.answering.service import Service

STALE_SECONDS = 5.0
"""Keys and switches are looked for several times a second; after so long without success the database is away."""


class Readiness(Struct, frozen=True):
    """``reasons`` say why not ready; ``degraded`` what is wrong while answers go on."""

    ready: bool
    use_cases: int
    reasons: tuple[str, ...] = ()
    degraded: tuple[str, ...] = ()


def readiness(service: Service) -> Readiness:
    """The state of one worker, from its memory. No names of use cases: whoever watches may not know them."""
    servings = service.following.servings
    reasons = []
    if service.phase != "running":
        reasons.append("It is starting." if service.phase == "starting" else "It stops, and takes no new questions.")
    if not servings and service.phase == "running":
        reasons.append("No use case is loaded: adopt one with pilotage sync FILE.")
    return Readiness(not reasons, len(servings), tuple(reasons), _degraded(service))


def _degraded(service: Service) -> tuple[str, ...]:
    found = []
    stale = service.following.stale_seconds
    if stale > STALE_SECONDS:
        found.append(f"The control database was last read {stale:.0f} s ago; answers go on by what was known then.")
    if service.phase != "draining" and service.refusal:
        found.append(f"Decisions cannot be recorded, and answers say so: {service.refusal}.")
    servings = service.following.servings.values()
    if without := sum(serving.columns is None for serving in servings):
        found.append(f"The columns of {without} use cases could not be opened: their declared default answers.")
    if refused := sum(serving.quiet == "model_refused" for serving in servings):
        found.append(f"The released model of {refused} use cases could not be loaded: the rule answers.")
    if behind := sum(serving.is_held_back for serving in servings):
        found.append(f"The released version of {behind} use cases could not be loaded: the last good one answers.")
    return tuple(found)
