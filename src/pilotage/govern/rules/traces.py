"""Values inside a longer text that lead to a person: addresses, numbers and accounts that can be told by their form.

Strict on purpose: users of such detectors complain most of bare numbers taken for phones, cards or social-security
numbers. So a run of digits must carry a check digit, or the separators that people write into such a number.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator
from typing import Literal

from msgspec import Struct

TraceKind = Literal["email", "iban", "card", "ssn", "phone", "ip", "mac"]

_EMAIL = re.compile(r"(?<![\w.+%'-])[\w.+%'-]{1,64}@(?:[^\W_](?:[\w-]{0,62})\.)+(?P<end>[^\W\d_]{2,24})(?![\w@])")
_NOT_A_DOMAIN = {"png", "jpg", "jpeg", "gif", "svg", "webp", "css", "js", "html", "py", "json"}  # logo@2x.png
_IBAN = re.compile(r"(?<![^\W_])[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?![^\W_])", re.I)
_CARD = re.compile(
    r"(?<![\w.,-])(?:\d{4}([ -])\d{4}\1\d{4}\1\d{4}|\d{4}([ -])\d{6}\2\d{4,5}|\d{13,19})(?![\w-]|[.,]\d)"
)
_SSN = re.compile(r"(?<![\w.-])\d{3}-\d{2}-\d{4}(?![\w-]|\.\d)")
_IPV4 = re.compile(r"(?<![\w.-])(?:\d{1,3}\.){3}\d{1,3}(?![\w-]|\.\d)")
_IPV6 = re.compile(r"(?<![\w:.])[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}(?:(?<=:)(?:\d{1,3}\.){3}\d{1,3})?(?![\w:])", re.I)
_MAC = re.compile(r"(?<![\w:-])[0-9a-f]{2}([:-])(?:[0-9a-f]{2}\1){4}[0-9a-f]{2}(?![\w:-])", re.I)
# A plus, or a word for telephone before it, or separators as people write them.
_PHONE = re.compile(
    r"""(?<![\w.:/+-])(?:
      (?:\+|00)[1-9][\d ()./-]{6,20}\d
    | (?P<said>(?:tele(?:ph|f)on|phone|tel|fax|mobil(?:e|funk)?|cell|handy|(?:tele|m[oó])(?:ph|f)?[oó]n[eo]?|call)
        \b[^\w\n+(]{0,3}(?:(?:no|nr|at|us|number|is|me)\b[^\w\n+(]{0,3}){0,2})\(?\d[\d ()./-]{5,18}\d
    | \(?[2-9]\d{2}\)?[ .-]{1,2}[2-9]\d{2}[ .-]\d{4}
    | 0[1-9](?:[ .]\d{2}){4}
    | \(?0\d{2,5}\)?[ /-]{1,3}\d{3,8}(?:[ -]\d{1,5}){0,3}
    )(?![\w-]|[.:/]\d)""",
    re.I | re.X,
)
_DATE = re.compile(r"\d{1,2}[-./ ]\d{1,2}[-./ ]\d{2,4}|\d{4}[-./ ]\d{1,2}[-./ ]\d{1,2}")
REGIONS = ("US", "GB", "DE", "FR", "ES")
"""Whose national ways of writing a phone number are known; numbers with a plus are known of every country."""


class Trace(Struct, frozen=True):
    """A value that leads to a person, and where it stands in the text: ``text[start:end]``."""

    kind: TraceKind
    start: int
    end: int


def traces(text: str) -> tuple[Trace, ...]:
    """All such values of a text, in order, none overlapping another."""
    found: list[Trace] = []
    if "@" in text:
        found += (Trace("email", *match.span()) for match in _EMAIL.finditer(text) if _is_email(match))
    if any(character.isdigit() for character in text):
        for kind, pattern, confirmed in _WITH_DIGITS:
            for start, end in _spans(pattern, confirmed, text):
                if not any(start < other.end and other.start < end for other in found):
                    found.append(Trace(kind, start, end))
    return tuple(sorted(found, key=lambda trace: trace.start))


def is_card(digits: str) -> bool:
    """Whether digits are a payment card's: issuer's first digits, their length, the check digit (ISO/IEC 7812)."""
    lengths = next((lengths for first, last, lengths in _ISSUERS if first <= _head(digits, first) <= last), ())
    return len(digits) in lengths and len(set(digits)) > 1 and _luhn(digits)


def is_phone(text: str, regions: tuple[str, ...] = REGIONS) -> bool:
    """Whether a text is a whole phone number, with its country or as written inside one of these regions."""
    import phonenumbers

    international = "+" + text[2:] if text.startswith("00") else text
    for region in (None,) if international.startswith("+") else regions:
        try:
            if phonenumbers.is_valid_number(phonenumbers.parse(international, region)):
                return True
        except phonenumbers.NumberParseException:
            continue
    return False


def is_iban(text: str) -> bool:
    """Whether a text is an IBAN: known country, its length and form, and the check digits (ISO 13616)."""
    from stdnum import iban

    return bool(iban.is_valid(text))


def is_ip(text: str) -> bool:
    """Whether a text is an IPv4 or IPv6 address that can be somebody's: not unspecified, not the machine itself."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return not (address.is_unspecified or address.is_loopback)


def _is_ipv6_in_text(text: str) -> bool:
    """Times (07:36:16) and names with double colons are not addresses."""
    groups = [group for group in text.split(":") if group]
    return len(groups) >= 3 and any(any(c.isdigit() for c in group) for group in groups) and is_ip(text)


def _is_email(match: re.Match[str]) -> bool:
    return match["end"].lower() not in _NOT_A_DOMAIN


def _is_ssn(text: str) -> bool:
    from stdnum.us import ssn

    return bool(ssn.is_valid(text))


def _is_phone_in_text(text: str) -> bool:
    number = text.strip()
    return not _DATE.fullmatch(number) and is_phone(number)


def _spans(pattern: re.Pattern[str], confirmed: Callable[[str], bool], text: str) -> Iterator[tuple[int, int]]:
    """Where the pattern is found and confirmed; what follows a number after a blank may belong to the next word."""
    for match in pattern.finditer(text):
        start = match.end("said") if match.groupdict().get("said") else match.start()
        end = match.end()
        while end > start:
            if confirmed(text[start:end]):
                yield start, end
                break
            shorter = text.rfind(" ", start, end)
            end = shorter if shorter > start + 7 else start


def _luhn(digits: str) -> bool:
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(doubled) + sum(int(digit) for digit in digits[::-2])) % 10 == 0


def _head(digits: str, first: str) -> str:
    return digits[: len(first)]


# First digits from, to, and the lengths in use.
_ISSUERS: tuple[tuple[str, str, tuple[int, ...]], ...] = (
    ("4", "4", (13, 16, 19)),
    ("51", "55", (16,)),
    ("2221", "2720", (16,)),
    ("34", "34", (15,)),
    ("37", "37", (15,)),
    ("300", "305", (14,)),
    ("36", "36", (14,)),
    ("38", "39", (14,)),
    ("6011", "6011", (16, 19)),
    ("644", "659", (16, 19)),
    ("3528", "3589", (16, 17, 18, 19)),
    ("62", "62", (16, 17, 18, 19)),
)
_WITH_DIGITS: tuple[tuple[TraceKind, re.Pattern[str], Callable[[str], bool]], ...] = (
    ("iban", _IBAN, is_iban),
    ("mac", _MAC, lambda text: True),
    ("card", _CARD, lambda text: is_card(re.sub(r"[ -]", "", text))),
    ("ssn", _SSN, _is_ssn),
    ("ip", _IPV4, is_ip),
    ("ip", _IPV6, _is_ipv6_in_text),
    ("phone", _PHONE, _is_phone_in_text),
)
