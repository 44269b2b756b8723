"""How a value is shown to those who may not see it: as it is, its ends, a keyed pseudonym, or not at all."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping

from pilotage.govern.records import Mask
from pilotage.govern.rules.traces import Trace, TraceKind, traces

HIDDEN = "•••"
GAP = "…"
PSEUDONYM_LENGTH = 10
_CUT_LENGTH = 79  # sample texts are cut at 80 characters: what stands at the end may be half of a number
_CUT_NUMBER = re.compile(r"\+?\d(?:[ ()./-]{0,2}\d){5,}[ -]?$")
_CUT_EMAIL = re.compile(r"[\w.+%'-]{1,64}@[\w.-]*$")
_DATE = re.compile(r"((?:18|19|20)\d{2})-\d{2}-\d{2}(?:[ T].*)?")
_WORD = re.compile(r"[^\W\d_]+(?:['’.-][^\W\d_]*)*")
_WORDS_MAX = 3


def masked(value: str, mask: Mask, secret: bytes) -> str:
    """A value as this mask shows it; an empty value is empty in every mask but ``hide``.

    ``partial`` keeps what makes its kind recognisable and never the whole of four characters or more. ``pseudonym`` is
    the same for the same value and secret: HMAC-SHA256 (RFC 2104), 50 bits of it.

    Raises:
        ValueError: a pseudonym without a secret, which anybody could compute.
    """
    if mask == "hide":
        return HIDDEN
    if mask == "none" or not value:
        return value
    return _pseudonym(value, secret) if mask == "pseudonym" else partial(value)


def masked_rows(
    rows: Iterable[Mapping[str, str]], masks: Mapping[str, Mask], secret: bytes
) -> tuple[dict[str, str], ...]:
    """Rows with each column's mask; in columns without one, what leads to a person inside a text is still masked."""
    return tuple({name: _shown(value, masks.get(name, "none"), secret) for name, value in row.items()} for row in rows)


def masked_text(text: str) -> str:
    """A text in which e-mail addresses, phones, accounts, cards, social-security numbers, IPs show their ends only."""
    parts, position = [], 0
    for trace in traces(text):
        parts += [text[position : trace.start], _partial_trace(trace.kind, text[trace.start : trace.end])]
        position = trace.end
    parts.append(text[position:])
    whole = "".join(parts)
    return _without_cut_end(whole, text) if len(text) >= _CUT_LENGTH else whole


def partial(value: str) -> str:
    """The ends of a value, as its kind has them: ``j…e@…le.org``, ``+49…12``, ``4…1111``, ``M… H…``, ``1947-…``."""
    text = value.strip()
    found = traces(text)
    if found and _is_whole(found[0], text):
        return _partial_trace(found[0].kind, text)
    date = _DATE.fullmatch(text)
    if date:
        return f"{date[1]}-{GAP}"
    words = text.split()
    if words and all(_WORD.fullmatch(word) for word in words):
        return _initials(words)
    return _ends(text)


def _shown(value: str, mask: Mask, secret: bytes) -> str:
    return masked_text(value) if mask == "none" else masked(value, mask, secret)


def _pseudonym(value: str, secret: bytes) -> str:
    if not secret:
        raise ValueError("A pseudonym wants a secret (got none): without it anybody could compute it.")
    digest = hmac.new(secret, value.encode("utf-8", "surrogatepass"), hashlib.sha256).digest()
    return "p_" + base64.b32encode(digest).decode().lower()[:PSEUDONYM_LENGTH]


def _is_whole(trace: Trace, text: str) -> bool:
    return trace.start == 0 and trace.end == len(text)


def _partial_trace(kind: TraceKind, text: str) -> str:
    if kind == "email":
        return _partial_email(text)
    if kind == "card":
        return f"{text[0]}{GAP}{text[-4:]}"
    if kind == "phone":
        return f"{text[: 3 if text.startswith('+') else 2]}{GAP}{text[-2:]}"
    if kind in ("ip", "mac"):
        separator = next(character for character in text if character in ".:-")
        return f"{text.partition(separator)[0]}{separator}{GAP}"
    return f"{text[:2]}{GAP}{text[-2:]}" if kind == "iban" else f"{GAP}{text[-2:]}"


def _partial_email(text: str) -> str:
    """The ends of the part before the at sign, the last two letters of the domain's name, its last label."""
    local, _, domain = text.partition("@")
    name, _, end = domain.rpartition(".")
    first, last = local[0] if len(local) > 1 else "", local[-1] if len(local) > 3 else ""
    return f"{first}{GAP}{last}@{GAP}{name[-2:] if len(name) > 3 else ''}.{end}"


def _initials(words: list[str]) -> str:
    """The first letter of each word that has more than two, of three words at most."""
    letters = [f"{word[0]}{GAP}" if len(word) > 2 else GAP for word in words[:_WORDS_MAX]]
    if len(words) == 1 and len(words[0]) < 4:
        return GAP
    return " ".join(letters) + (f" {GAP}" if len(words) > _WORDS_MAX else "")


def _ends(text: str) -> str:
    if len(text) < 4:
        return GAP
    return f"{text[0]}{GAP}" if len(text) < 8 else f"{text[0]}{GAP}{text[-1]}"


def _without_cut_end(whole: str, text: str) -> str:
    """What may be the first half of a number or an e-mail address at the end of a text that was cut."""
    if whole[-2:] != text[-2:]:
        return whole
    begun, end = whole[:-_CUT_LENGTH], whole[-_CUT_LENGTH:]
    return begun + _CUT_EMAIL.sub(f"{GAP}@{GAP}", _CUT_NUMBER.sub(GAP, end))
