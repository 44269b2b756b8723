"""Which columns name groups of people, by which the audit should compare: by word, so that a person looks at it."""

from __future__ import annotations

from pilotage.data.guessing.records import SeenColumn, SeenTable
from pilotage.data.guessing.words import in_ascii, words

PROTECTED = frozenset(
    (
        *("age", "sex", "gender", "race", "ethnicity", "ethnic", "nationality", "citizenship", "religion", "marital"),
        *("disability", "disabled", "alter", "geschlecht", "familienstand", "staatsangehoerigkeit", "sexe", "genre"),
    )
)
SPECIAL = frozenset(
    ("race", "ethnicity", "ethnic", "religion", "disability", "disabled")
)  # General Data Protection Regulation, article 9
_ABOUT_PEOPLE = frozenset(
    (
        *("cat", "category", "group", "band", "class", "status", "code", "at", "in", "years", "is", "has"),
        *("person", "customer", "patient", "applicant"),
    )
)
GROUPS_MAX = 20
_OF_A_PERSON = frozenset(
    (
        *("email", "phone", "telephone", "mobile", "fax", "surname", "forename", "firstname", "lastname", "fullname"),
        *("telefon", "handy", "vorname", "nachname", "strasse", "street", "iban", "ssn"),
    )
)
_OF_A_PERSON_TOGETHER = ({"first", "name"}, {"last", "name"}, {"full", "name"}, {"family", "name"}, {"e", "mail"})
_BESIDE = _ABOUT_PEOPLE | {"address", "number", "no", "nr", "nummer", "adresse", "home", "work", "contact", "user"}
_BESIDE_NAME = {"customer", "patient", "applicant", "person", "user", "contact", "client", "employee", "kunde"}
_FLAG_MAX = 3


def groups_of(table: SeenTable) -> tuple[str, ...]:
    """Columns of a table that name a protected group and have few values, in their order."""
    return tuple(c.name for c in table.columns if is_protected(c.name) and 2 <= c.distinct <= GROUPS_MAX)


def is_protected(name: str) -> bool:
    """``age``, ``age_group``, ``Sex`` and ``maritalStatus``, but not ``page`` nor ``vehicle_age``."""
    parts = words(name)
    telling = set(parts) & PROTECTED
    return bool(telling) and set(parts) <= PROTECTED | _ABOUT_PEOPLE


def names_a_person(column: SeenColumn) -> bool:
    """``email``, ``first_name`` and ``CustomerName``, but not ``PhoneService`` nor what has three values."""
    parts = set(words(in_ascii(column.name)))
    if column.type not in ("text", "number") or column.distinct <= _FLAG_MAX:
        return False
    for together in (*_OF_A_PERSON_TOGETHER, *({"name", who} for who in _BESIDE_NAME)):
        if together <= parts:
            return parts <= together | _BESIDE
    if parts in ({"first"}, {"last"}):
        return column.type == "text" and column.distinct > GROUPS_MAX
    return bool(parts & _OF_A_PERSON) and parts <= _OF_A_PERSON | _BESIDE


def is_special(name: str) -> bool:
    """Whether a name is that of a special category, which no draft takes as an input."""
    return is_protected(name) and bool(set(words(name)) & SPECIAL)
