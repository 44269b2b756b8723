"""The installation's own Ed25519 key (RFC 8032): signs artefacts and audit-log checkpoints."""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from pilotage.platform.errors import SettingsError


class Signer:
    """Signs and verifies bytes with one key pair, kept in a file that only its owner reads."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self._public: Ed25519PublicKey = private.public_key()

    @classmethod
    def at(cls, path: Path) -> Signer:
        """The key in this file; made, with mode 0600, when there is none."""
        if not path.exists():
            _write_new_key(path)
        key = load_pem_private_key(path.read_bytes(), password=None)
        if not isinstance(key, Ed25519PrivateKey):
            raise SettingsError(f"{path} does not hold an Ed25519 private key.", "Restore the right file.")
        return cls(key)

    def sign(self, message: bytes) -> str:
        """Signature of the message, 64 bytes as hexadecimal."""
        return self._private.sign(message).hex()

    def is_valid(self, message: bytes, signature: str) -> bool:
        """Whether this installation signed exactly these bytes."""
        try:
            self._public.verify(bytes.fromhex(signature), message)
        except (InvalidSignature, ValueError):
            return False
        return True


def _write_new_key(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())
