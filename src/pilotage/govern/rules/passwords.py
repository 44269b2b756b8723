"""What a password must be: long, and none that everybody tries first (NIST SP 800-63B, 3.1.1)."""

from __future__ import annotations

import re

LETTERS_MIN = 12
LETTERS_MAX = 200
_OTHER_LETTERS_MIN = 8
_WORDS = """
password passwort passwd pass welcome willkommen letmein iloveyou iloveu monkey dragon sunshine princess football
baseball basketball superman batman master shadow trustno qwerty qwertz qwertyuiop qwertzuiop asdfghjkl zxcvbnm
qazwsx qazwsxedc azerty azertyuiop asdf asdfgh zaq abc abcd abcdef abcdefg abcdefgh abcdefghij abcdefghijkl
admin administrator root user guest login test testing changeme change default secret hello summer winter spring
autumn fall sommer internet computer starwars pokemon michael jordan jennifer jessica charlie andrew liverpool
chelsea arsenal whatever freedom flower cheese cookie pilotage correcthorsebatterystaple loveyou lovely
opensesame mypassword thepassword newpassword adminadmin passwordpassword
"""
"""Words at the head of every list of stolen passwords; the digits and signs around them are stripped before."""
_COMMON = frozenset(_WORDS.split())
_AS_LETTERS = str.maketrans("0134578@$!", "oieastbasi")
_RUNS = ("0123456789" * 3, "9876543210" * 3, "abcdefghijklmnopqrstuvwxyz" * 2)


def weakness(password: str, name: str) -> str:
    """Why this cannot be the password of somebody with this name, as a sentence; empty when it can."""
    if len(password) < LETTERS_MIN:
        return f"A password must have at least {LETTERS_MIN} letters (got {len(password)})."
    if len(password) > LETTERS_MAX:
        return f"A password must have at most {LETTERS_MAX} letters (got {len(password)})."
    plain = password.casefold()
    if len(set(plain)) < 5:
        return "A password must have at least five different letters."
    if _is_common(plain) or any(plain in run for run in _RUNS):
        return "This password is among those that everybody tries first."
    if len(name) > 2 and len(plain.replace(name.casefold(), "")) < _OTHER_LETTERS_MIN < len(plain):
        return "A password must not be the name with something added."
    return ""


def _is_common(plain: str) -> bool:
    bare = re.sub(r"[\W\d_]+$", "", plain)
    spoken = (bare, bare.translate(_AS_LETTERS), plain, plain.translate(_AS_LETTERS))
    return any(_is_made_of_common(re.sub(r"[^a-z]", "", text)) for text in spoken)


def _is_made_of_common(text: str) -> bool:
    """Whether a text is a common word, or one said twice or more."""
    return any(text == word * (len(text) // len(word)) and text for word in _COMMON)
