"""What routes need of the process that answers, as Litestar's dependencies."""

from __future__ import annotations

from typing import TypeVar

from litestar.di import Provide

from pilotage.decisions.answering.service import Service
from pilotage.decisions.inference.asking import Asking
from pilotage.platform.errors import Unavailable

Found = TypeVar("Found")


def answering(service: Service | None) -> dict[str, Provide]:
    """``service`` and ``asking`` of this process.

    Raises:
        Unavailable: when a route needs them and nothing answers here.
    """
    asking = None if service is None else Asking(service)

    def the_service() -> Service:
        return _there(service)

    def the_asking() -> Asking:
        return _there(asking)

    return {
        "service": Provide(the_service, sync_to_thread=False),
        "asking": Provide(the_asking, sync_to_thread=False),
    }


def _there(found: Found | None) -> Found:
    if found is None:
        raise Unavailable("Nothing answers decisions in this process.", "Ask the server that pilotage serve starts.")
    return found
