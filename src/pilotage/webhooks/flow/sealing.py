"""Keeps the secrets of endpoints: AES-256-GCM with a key that lies in a file beside the database, not in it.

A secret has to be known in clear to sign with it, so that a hash would not do.
"""

from __future__ import annotations

import secrets
from datetime import datetime

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pilotage.govern.flow.secret_files import secret_of
from pilotage.platform.errors import SettingsError
from pilotage.platform.workspace import Workspace
from pilotage.webhooks.records import Secrets
from pilotage.webhooks.rules.signing import SECRET_BYTES, written

_NONCE_BYTES = 12


def new_secret() -> str:
    """A secret of 256 random bits, as people copy it."""
    return written(secrets.token_bytes(SECRET_BYTES))


def seal(work: Workspace, endpoint: str, secret: str) -> bytes:
    """A secret as it may be stored; it opens for this endpoint only."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + _cipher(work).encrypt(nonce, secret.encode(), endpoint.encode())


def usable(work: Workspace, endpoint: str, kept: Secrets, now: datetime) -> list[str]:
    """The secrets that sign now: the present one, and the one before while it counts.

    Raises:
        SettingsError: they were encrypted with another key than this machine has.
    """
    sealed = [kept.sealed]
    if kept.old_sealed is not None and kept.old_until is not None and now < kept.old_until:
        sealed.append(kept.old_sealed)
    return [_opened(work, endpoint, each) for each in sealed]


def _opened(work: Workspace, endpoint: str, sealed: bytes) -> str:
    try:
        clear = _cipher(work).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], endpoint.encode())
    except InvalidTag:
        raise SettingsError(
            f"The secret of the webhook {endpoint} does not open with the key of this machine.",
            f"Copy {work.home / 'keys' / 'webhooks.secret'} from the machine that registered it, or rotate the secret.",
        ) from None
    return clear.decode()


def _cipher(work: Workspace) -> AESGCM:
    return AESGCM(secret_of(work, "webhooks"))
