"""Random secrets of this installation, each in a file that only its owner reads."""

from __future__ import annotations

import os
import secrets

from pilotage.platform.errors import SettingsError
from pilotage.platform.workspace import Workspace

_BYTES = 32


def secret_of(work: Workspace, name: str) -> bytes:
    """The 32 random bytes in ``keys/<name>.secret``; made, with mode 0600, when there are none.

    Raises:
        SettingsError: the file does not hold 32 bytes.
    """
    path = work.home / "keys" / f"{name}.secret"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        written = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        with os.fdopen(os.open(written, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secrets.token_bytes(_BYTES))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(written, path)  # whole or not at all, and never over another worker's
        except FileExistsError:
            pass
        finally:
            written.unlink()
    secret = path.read_bytes()
    if len(secret) != _BYTES:
        raise SettingsError(f"{path} does not hold {_BYTES} bytes.", "Restore it, or remove it to have a new one made.")
    return secret
