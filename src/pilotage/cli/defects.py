"""Writes down the trace of a defect, where a person can find it and send it."""

from __future__ import annotations

import os
import secrets
import tempfile
import traceback
from pathlib import Path

from pilotage.platform.clock import SystemClock
from pilotage.platform.errors import SettingsError
from pilotage.platform.logs import without_secrets
from pilotage.platform.settings import read_settings


def keep_trace(error: BaseException) -> Path:
    """Write the trace, secrets blackened, to ``errors/`` in the home directory; the file's path."""
    text = without_secrets("".join(traceback.format_exception(error)))
    name = f"{SystemClock().now():%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}.txt"
    for folder in _folders():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            place = folder / name
            with os.fdopen(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(text)
        except OSError:
            continue
        return place
    raise error


def _folders() -> list[Path]:
    """The home directory, or where it cannot be written, the system's place for passing files."""
    elsewhere = Path(tempfile.gettempdir()) / "pilotage-errors"
    try:
        return [read_settings().home / "errors", elsewhere]
    except SettingsError:
        return [elsewhere]
