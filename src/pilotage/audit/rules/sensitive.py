"""Columns that may hold personal data, by their names: a hint to a person, not a verdict."""

from __future__ import annotations

import re
from collections.abc import Iterable

_WORDS = {
    "name": "a name",
    "surname": "a name",
    "firstname": "a name",
    "lastname": "a name",
    "email": "an e-mail address",
    "mail": "an e-mail address",
    "phone": "a phone number",
    "mobile": "a phone number",
    "address": "an address",
    "street": "an address",
    "postcode": "an address",
    "zip": "an address",
    "birth": "a date of birth",
    "birthday": "a date of birth",
    "dob": "a date of birth",
    "age": "an age",
    "gender": "a protected attribute (gender)",
    "sex": "a protected attribute (sex)",
    "race": "a protected attribute (race)",
    "ethnicity": "a protected attribute (ethnicity)",
    "religion": "a protected attribute (religion)",
    "nationality": "a protected attribute (nationality)",
    "marital": "a protected attribute (marital status)",
    "health": "health data",
    "diagnosis": "health data",
    "disability": "health data",
    "ssn": "a social-security number",
    "passport": "a passport number",
    "iban": "a bank account",
    "salary": "an income",
    "income": "an income",
    "passenger": "a person",
    "patient": "a person",
    "customer": "a person",
    "ip": "a network address",
    "latitude": "a place",
    "longitude": "a place",
}
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


def sensitive_columns(columns: Iterable[str]) -> dict[str, str]:
    """Column → what it may hold, for those whose name contains a telling word."""
    found = {}
    for column in columns:
        for word in _WORD.findall(column):
            if word.lower() in _WORDS:
                found[column] = _WORDS[word.lower()]
                break
    return found
