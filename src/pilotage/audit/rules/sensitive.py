"""Kinds of personal data: how they are called, how much harm they can do, and what to propose for each.

By the General Data Protection Regulation: article 4 (personal data, pseudonyms), 9 (special categories), 10 (offences).
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from pilotage.audit.measured import Measured
from pilotage.audit.measured.personal import Detection, PersonalColumn
from pilotage.data.contracts.records import Protection
from pilotage.govern.records import Mask, Purpose, Sensitivity

_IDENTIFIES = "it names the person: a model learns nothing from it that holds for others"
_SECRET = "a leak does harm by itself: keep it out of training, logs and sight"  # noqa: S105
_PROTECTED = "a protected attribute: compare groups by it, think twice before deciding by it"
_SPECIAL = "a special category (GDPR, article 9): only on one of the grounds listed there"
_OFFENCE = "on offences (GDPR, article 10): only under official authority or a law that allows it"
_MODELLED: tuple[Purpose, ...] = ("training", "inference")


class Kind(Struct, frozen=True):
    """A kind of personal data: what a column of it holds, in words, and what is proposed for it."""

    holds: str
    sensitivity: Sensitivity
    purposes: tuple[Purpose, ...]
    mask: Mask
    why: str
    protected: bool = False


def _special(holds: str, why: str = _SPECIAL) -> Kind:
    return Kind(holds, "special", (), "hide", why, protected=True)


def _protected(holds: str) -> Kind:
    return Kind(holds, "personal", _MODELLED, "hide", _PROTECTED, protected=True)


# In the order of the harm they can do.
KINDS: dict[str, Kind] = {
    "health": _special("health data"),
    "genetic": _special("genetic data"),
    "biometric": _special("biometric data"),
    "sex-life": _special("data on sex life or orientation"),
    "religion": _special("religion or belief"),
    "politics": _special("political opinions"),
    "union": _special("trade-union membership"),
    "ethnicity": _special("racial or ethnic origin"),
    "offence": _special("data on criminal offences", _OFFENCE),
    "national-id": Kind("national identity numbers", "personal", (), "hide", _SECRET),
    "card": Kind("payment card numbers", "personal", (), "partial", _SECRET),
    "iban": Kind("bank accounts", "personal", (), "partial", _SECRET),
    "name": Kind("names of people", "personal", ("inference",), "partial", _IDENTIFIES),
    "email": Kind("e-mail addresses", "personal", ("inference",), "partial", _IDENTIFIES),
    "phone": Kind("phone numbers", "personal", ("inference",), "partial", _IDENTIFIES),
    "address": Kind("postal addresses", "personal", ("inference",), "partial", _IDENTIFIES),
    "post-code": Kind(
        "post codes",
        "personal",
        _MODELLED,
        "partial",
        "an area, not a person; with a date of birth, most people",
    ),
    "birth-date": Kind(
        "dates of birth", "personal", _MODELLED, "partial", "with a post code it names most people: take the age"
    ),
    "ip": Kind("network addresses", "personal", ("inference",), "partial", _IDENTIFIES),
    "mac": Kind("hardware addresses", "personal", ("inference",), "partial", _IDENTIFIES),
    "licence-plate": Kind("licence plates", "personal", ("inference",), "partial", _IDENTIFIES),
    "account-name": Kind("account names", "personal", ("inference",), "pseudonym", _IDENTIFIES),
    "online-id": Kind("identifiers of devices", "personal", _MODELLED, "pseudonym", "it follows one person's device"),
    "income": Kind("incomes", "personal", _MODELLED, "hide", "people expect it to stay between them and the payer"),
    "sex": _protected("sex or gender"),
    "nationality": _protected("nationality or origin"),
    "marital-status": _protected("marital status"),
    "age": _protected("ages"),
    "person-id": Kind(
        "identifiers of persons",
        "personal",
        ("training", "inference", "logging"),
        "pseudonym",
        "a pseudonym of a person (GDPR, article 4): needed to join, useless to learn from",
    ),
}
SPECIAL = frozenset(name for name, kind in KINDS.items() if kind.sensitivity == "special")
_ORDER = {name: number for number, name in enumerate(KINDS)}


def composed(source: str, column: str, kinds: Iterable[Detection], looked_at: int) -> PersonalColumn | None:
    """What was detected in one column, the most harmful first; None where nothing was."""
    ordered = tuple(sorted(kinds, key=lambda seen: _ORDER[seen.kind]))
    if not ordered:
        return None
    parts = [KINDS[seen.kind].holds + (" inside its texts" if seen.within else "") for seen in ordered]
    holds = parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
    return PersonalColumn(source, column, holds, ordered[0].by, ordered[0].share, ordered, looked_at)


def proposals(measured: Measured) -> dict[str, dict[str, Protection]]:
    """Per source and column that may hold personal data: sensitivity, purposes and mask for its contract."""
    found: dict[str, dict[str, Protection]] = {}
    for seen in measured.personal.columns:
        found.setdefault(seen.source, {})[seen.column] = proposal(seen)
    return found


def proposal(seen: PersonalColumn) -> Protection:
    """What to write into the contract of a column: as its most harmful kind wants it."""
    if all(detection.within for detection in seen.kinds):
        special = any(detection.kind in SPECIAL for detection in seen.kinds)
        why = f"free text with {seen.holds.replace(' inside its texts', '')}: mask it in logs and before people see it"
        return Protection("special" if special else "personal", _MODELLED, "hide", why)
    kind = KINDS[next(detection.kind for detection in seen.kinds if not detection.within)]
    return Protection(kind.sensitivity, kind.purposes, kind.mask, kind.why)
