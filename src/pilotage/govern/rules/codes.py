"""Time-based codes (RFC 6238, six digits, 30 seconds) and recovery codes."""

from __future__ import annotations

import hashlib
import hmac

import pyotp

STEP_SECONDS = 30
_AROUND = 1
"""How many steps a phone's clock may be off, before or after: one, as RFC 6238, 5.2 recommends."""
RECOVERY_CODES = 10
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
_RECOVERY_LETTERS = 16  # 79 bits: SHA-256 of it cannot be searched


def fitting_step(secret: str, code: str, now_seconds: float) -> int | None:
    """The time step that this code belongs to, when it is the code of now, of just before or of just after."""
    totp = pyotp.TOTP(secret, interval=STEP_SECONDS)
    step = int(now_seconds // STEP_SECONDS)
    found = None
    for each in range(step - _AROUND, step + _AROUND + 1):
        if hmac.compare_digest(totp.generate_otp(each), code):
            found = each
    return found


def recovery_code(drawn: bytes) -> str:
    """``abcd-efgh-jkmn-pqrs`` from 32 random bytes."""
    number = int.from_bytes(drawn, "big")
    letters = []
    for _ in range(_RECOVERY_LETTERS):
        number, rest = divmod(number, len(_ALPHABET))
        letters.append(_ALPHABET[rest])
    text = "".join(letters)
    return "-".join(text[at : at + 4] for at in range(0, _RECOVERY_LETTERS, 4))


def typed(code: str) -> str:
    """A code as somebody typed it, without blanks and hyphens, in lower case."""
    return "".join(each for each in code.lower() if each.isascii() and each.isalnum())


def is_recovery(code: str) -> bool:
    """Whether what was typed is as long as a recovery code."""
    return len(code) == _RECOVERY_LETTERS


def hash_of(code: str) -> bytes:
    """SHA-256 of a recovery code as typed."""
    return hashlib.sha256(typed(code).encode()).digest()
