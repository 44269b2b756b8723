"""Which columns name groups of people, by which the audit should compare: by word, so that a person looks at it."""

from __future__ import annotations

from pilotage.data.guessing.records import SeenTable
from pilotage.data.guessing.words import words

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


def groups_of(table: SeenTable) -> tuple[str, ...]:
    """Columns of a table that name a protected group and have few values, in their order."""
    return tuple(c.name for c in table.columns if is_protected(c.name) and 2 <= c.distinct <= GROUPS_MAX)


def is_protected(name: str) -> bool:
    """``age``, ``age_group``, ``Sex`` and ``maritalStatus``, but not ``page`` nor ``vehicle_age``."""
    parts = words(name)
    telling = set(parts) & PROTECTED
    return bool(telling) and set(parts) <= PROTECTED | _ABOUT_PEOPLE


def is_special(name: str) -> bool:
    """Whether a name is that of a special category, which no draft takes as an input."""
    return is_protected(name) and bool(set(words(name)) & SPECIAL)
