"""Where the office keeps its data, read from the environment once per command."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """The places a command works on."""

    home: Path
    database_url: str
    weather_folder: Path

    @property
    def world_folder(self) -> Path:
        """Everything that will ever happen; only the clock may read it."""
        return self.home / "world"

    @classmethod
    def from_environment(cls) -> "Settings":
        """DISPATCH_HOME, DISPATCH_DATABASE and DISPATCH_WEATHER, each with a default under the home."""
        home = Path(os.environ.get("DISPATCH_HOME", ".dispatch")).resolve()
        return cls(
            home=home,
            database_url=os.environ.get("DISPATCH_DATABASE", f"sqlite:///{home / 'dispatch.db'}"),
            weather_folder=Path(os.environ.get("DISPATCH_WEATHER", home / "weather")).resolve(),
        )
