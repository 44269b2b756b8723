"""What a world was built from, so that a second load can tell whether it is the same."""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from .archive import ARCHIVE_SHA256

FILE = "world.json"


@dataclass(frozen=True)
class Manifest:
    """The arguments of a load."""

    months: tuple[int, int]
    start: datetime

    def __str__(self) -> str:
        first, last = self.months
        return f"months {first}-{last} from {self.start:%Y-%m-%dT%H:%M} UTC"


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest of the world in the folder; None when there is no whole world of this archive."""
    path = folder / FILE
    if not path.is_file():
        return None
    stored = json.loads(path.read_text())
    if stored["archive"] != ARCHIVE_SHA256:
        return None
    first, last = stored["months"]
    return Manifest(months=(first, last), start=datetime.fromisoformat(stored["start"]))


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Written last: a folder with a manifest has a whole world."""
    stored = {"months": list(manifest.months), "start": manifest.start.isoformat(), "archive": ARCHIVE_SHA256}
    (folder / FILE).write_text(json.dumps(stored, indent=2) + "\n")
