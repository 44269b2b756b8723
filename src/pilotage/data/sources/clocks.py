"""The forms in which texts give instants: ISO 8601, and for declared clocks those that people's exports have.

A form is taken only if it is the only one that fits; where day and month could be exchanged in all values, none is.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from pilotage.platform.quoting import literal

_ZONE = r"( ?(Z|UTC)|[+-]\d\d(:?\d\d)?)"
_ISO = rf"\d{{4}}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{{1,9}})?)?{_ZONE}?)?"
_ALIKE = r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}([ ,].*)?|\d{1,2}[- ][A-Za-z]{3}[- ]\d{4}([ ,].*)?"
_DATES = {
    "DD.MM.YYYY": "%d.%m.%Y",
    "MM/DD/YYYY": "%m/%d/%Y",
    "DD/MM/YYYY": "%d/%m/%Y",
    "MM-DD-YYYY": "%m-%d-%Y",
    "DD-MM-YYYY": "%d-%m-%Y",
    "YYYY/MM/DD": "%Y/%m/%d",
    "DD-Mon-YYYY": "%d-%b-%Y",
    "DD Mon YYYY": "%d %b %Y",
}
_TIMES = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p", ", %H:%M", ", %H:%M:%S")


class Form(Struct, frozen=True):
    """One way to write an instant, without zone, in ``strptime``'s terms; ``says`` is its date in words."""

    says: str
    format: str

    def fits(self, text: str) -> str:
        """SQL: whether a text is an instant in this form. A year of two digits would be one of the first century."""
        return f"try_strptime({text}, {literal(self.format)}) >= TIMESTAMP '1000-01-01'"

    def instant(self, text: str) -> str:
        """SQL: the instant; an error that repeats the text where it has another form."""
        wrong = f"error(concat('it is written as ', {literal(self.says)}, ' and holds ', left({text}, 40)))"
        given = f"try_strptime({text}, {literal(self.format)})"
        return f"CASE WHEN {text} IS NULL THEN NULL WHEN {self.fits(text)} THEN {given} ELSE {wrong} END"


class Ambiguous(Struct, frozen=True):
    """Two forms fit equally well."""

    first: Form
    second: Form


ISO = Form("YYYY-MM-DD HH:MM:SS", "")
FORMS = tuple(Form(says, date + time) for says, date in _DATES.items() for time in _TIMES)


def is_iso(text: str) -> str:
    """SQL: whether a text is an ISO 8601 date, or one with a time, that exists."""
    return f"(regexp_full_match({text}, {literal(_ISO)}) AND TRY_CAST({text} AS TIMESTAMPTZ) IS NOT NULL)"


def is_alike(text: str) -> str:
    """SQL: whether a text has the look of a date in one of the forms, whether or not it exists."""
    return f"regexp_full_match({text}, {literal(_ALIKE)})"


def iso_instant(value: str) -> str:
    """SQL: the instant in UTC; one without a zone is UTC, because the engine's session is. An error for other texts."""
    return f"(CAST({value} AS TIMESTAMPTZ) AT TIME ZONE 'UTC')"


def chosen(filled: int, counts: Mapping[Form, int]) -> Form | Ambiguous | None:
    """The form that most values have, by how many of the filled ones fit each; None where they are no instants.

    A few values that are no instants do not change what the others are: reading names them.
    """
    if not filled:
        return ISO
    best = max(counts.values(), default=0)
    fitting = [form for form, count in counts.items() if count == best]
    if best == 0 or (best <= filled / 2 and fitting[0] != ISO):
        return None
    return Ambiguous(fitting[0], fitting[1]) if len(fitting) > 1 else fitting[0]
