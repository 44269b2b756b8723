"""What each operation does to values in Python. Where Python's habit differs from SQL's, Python is bent.

A number is finite: what is too large for a 64-bit float, or no number at all, is null, as a division by zero is.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

NUMBER_PATTERN = r"^[+-]?[0-9]{1,40}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,2})?$"
TIMESTAMP_PATTERN = (
    r"^[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}([ T]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?Z?)?$"
)
TRUE_WORDS, FALSE_WORDS = ("true", "t", "1", "yes", "y"), ("false", "f", "0", "no", "n")
SPACES = " \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
FLOAT_WHOLE_MIN = 2.0**52  # from here on every double is a whole number
_NUMBER = re.compile(NUMBER_PATTERN, re.ASCII)
_TIMESTAMP = re.compile(TIMESTAMP_PATTERN, re.ASCII)


def finite(value: float) -> float | None:
    """The number, or None where it is infinite or none."""
    return value if value - value == 0.0 else None


def total(augend: float, addend: float) -> float | None:
    return finite(augend + addend)


def difference(minuend: float, subtrahend: float) -> float | None:
    return finite(minuend - subtrahend)


def product(multiplicand: float, multiplier: float) -> float | None:
    return finite(multiplicand * multiplier)


def quotient(dividend: float, divisor: float) -> float | None:
    return None if divisor == 0 else finite(dividend / divisor)


def remainder(dividend: float, divisor: float) -> float | None:
    """With the sign of the dividend, exact."""
    return None if divisor == 0 else math.fmod(dividend, divisor)


def rounded(value: float, digits: int = 0) -> float:
    """Half away from zero, by way of a power of ten, as DuckDB rounds a DOUBLE."""
    if digits:
        power = 10.0 ** abs(digits)
        scaled = value * power if digits > 0 else value / power
        result = rounded(scaled) / power if digits > 0 else rounded(scaled) * power
        return result if math.isfinite(result) else value
    size = abs(value)
    if not size < FLOAT_WHOLE_MIN:
        return float(value)
    whole = math.floor(size)
    return math.copysign(whole + 1 if size - whole >= 0.5 else whole, value)


def floor(value: float) -> float:
    return float(math.floor(value)) if abs(value) < FLOAT_WHOLE_MIN else float(value)


def ceil(value: float) -> float:
    return float(math.ceil(value)) if abs(value) < FLOAT_WHOLE_MIN else float(value)


def upper(text: str) -> str:
    return text.upper() if text.isascii() else "".join(map(upper_letter, text))


def lower(text: str) -> str:
    return text.lower() if text.isascii() else "".join(map(lower_letter, text))


def upper_letter(letter: str) -> str:
    """Letter by letter, as DuckDB does: no letter becomes two."""
    if letter == "ß":
        return "ẞ"
    found = letter.upper()
    return found if len(found) == 1 else letter.title() if len(letter.title()) == 1 else letter


def lower_letter(letter: str) -> str:
    return letter.lower()[0]


def like_letters(pattern: str) -> Iterator[tuple[str, bool]]:
    """The letters of a LIKE pattern with escape ``\\``, each with whether it is a wildcard."""
    letters = iter(pattern)
    for letter in letters:
        if letter == "\\":
            yield next(letters, letter), False
        else:
            yield letter, letter in "%_"


def trimmed(text: str) -> str:
    return text.strip(SPACES)


def length(text: str) -> float:
    return float(len(text))


def concatenated(*texts: str | None) -> str:
    return "".join(text for text in texts if text is not None)


def number_from(value: str | float) -> float | None:
    if not isinstance(value, str):
        return float(value)
    return float(value) if _NUMBER.fullmatch(value) else None


def text_from_number(value: float) -> str:
    """A number as text: whole numbers without decimals, others in the shortest form that reads back the same.

    Zero has no sign here: 0 and -0 are one category.
    """
    return repr(float(value)).removesuffix(".0") if value else "0"


def flag_from(value: str | float) -> bool | None:
    if not isinstance(value, str):
        return value != 0
    word = value.lower()
    return True if word in TRUE_WORDS else False if word in FALSE_WORDS else None


def timestamp_from(text: str) -> datetime | None:
    """An instant in UTC from ISO 8601 text; None where the text is none."""
    if not _TIMESTAMP.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text.removesuffix("Z")).replace(tzinfo=UTC)
    except ValueError:
        return None


def shifted(instant: datetime, span: timedelta) -> datetime | None:
    """The instant moved by a span; None beyond the years 1 to 9999."""
    try:
        return instant + span
    except OverflowError:
        return None


def weekday(instant: datetime) -> float:
    """Sunday is 0."""
    return float(instant.isoweekday() % 7)


def any_of(wanted: Any, *candidates: Any) -> bool | None:
    if wanted is None:
        return None
    unknown = False
    for candidate in candidates:
        if candidate is None:
            unknown = True
        elif candidate == wanted:
            return True
    return None if unknown else False


def null_if(value: Any, unwanted: Any) -> Any:
    return None if value is not None and unwanted is not None and value == unwanted else value


def least(*values: Any) -> Any:
    return min((value for value in values if value is not None), default=None)


def greatest(*values: Any) -> Any:
    return max((value for value in values if value is not None), default=None)
