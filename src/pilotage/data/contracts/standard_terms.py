"""What an Open Data Contract says of a whole source: who owns it, how fresh it is, how long it is kept."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pilotage.usecase.records import seconds

Document = dict[str, Any]
_OWNERS = frozenset({"owner", "data owner", "data product owner", "product owner", "dataowner"})
_UNITS = {
    "minute": 60,
    "min": 60,
    "m": 60,
    "hour": 3600,
    "hr": 3600,
    "h": 3600,
    "day": 86_400,
    "d": 86_400,
    "week": 604_800,
    "wk": 604_800,
    "w": 604_800,
    "month": 2_592_000,
    "mo": 2_592_000,
    "year": 31_536_000,
    "yr": 31_536_000,
    "y": 31_536_000,
}
"""Seconds; a month of 30 days and a year of 365."""
_NUMBER = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6})?")
_COUNT_MAX = 99_999


def owner_of(document: Document) -> str:
    """Who answers: the team's owner, else the team's name, else nobody."""
    owners = [each["username"] for each in _members(document) if _owns(each)]
    team = document.get("team")
    return str(owners[0]) if owners else str(team.get("name") or "") if isinstance(team, dict) else ""


def set_owner(document: Document, owner: str) -> None:
    """Write who answers into the team, in either of its two forms."""
    members = [dict(each) for each in _members(document)]
    place = next((number for number, each in enumerate(members) if _owns(each)), None)
    if place is None:
        members.append({"username": owner, "role": "owner"})
    else:
        members[place]["username"] = owner
    team = document.get("team")
    document["team"] = members if isinstance(team, list) else {**(team or {}), "members": members}


def freshness_of(document: Document, name: str) -> str | None:
    """How old the newest row of an object may be."""
    place = _place(document, "freshness", name)
    return None if place is None else duration_of(document["slaProperties"][place])


def set_freshness(document: Document, name: str, value: str | None) -> None:
    """Write it, for this object where nothing was said of it."""
    _set(document, "freshness", _place(document, "freshness", name), value, name)


def retention_of(document: Document, name: str, column: str) -> str | None:
    """How long values of a column may be kept: what is said of it, else of its object, else of all."""
    place = _place(document, "retention", f"{name}.{column}", own=True)
    if place is None:
        place = _place(document, "retention", name)
    return None if place is None else duration_of(document["slaProperties"][place])


def set_retention(document: Document, name: str, column: str, value: str | None) -> None:
    """Write it for this column alone. That there is no limit cannot be said where there is one for all."""
    _set(document, "retention", _place(document, "retention", f"{name}.{column}", own=True), value, f"{name}.{column}")


def duration_of(agreed: Document) -> str | None:
    """A value with its unit as a duration of ours; None where it is none, or not of whole minutes."""
    text, unit = str(agreed.get("value")), str(agreed.get("unit") or "").strip().lower()
    length = _UNITS.get(unit) or _UNITS.get(unit.removesuffix("s"))
    if length is None or not _NUMBER.fullmatch(text):
        return None
    whole = float(text) * length
    for word, size in (("day", 86_400), ("hour", 3600), ("minute", 60)):
        count = whole / size
        in_its_unit = length >= size
        if in_its_unit and count.is_integer() and 1 <= count <= _COUNT_MAX:
            return f"{int(count)} {word}{'' if count == 1 else 's'}"
    return None


def _members(document: Document) -> Iterator[Document]:
    team = document.get("team")
    yield from (team if isinstance(team, list) else (team or {}).get("members") or [])


def _owns(member: Document) -> bool:
    return str(member.get("role", "")).strip().lower() in _OWNERS and not member.get("dateOut")


def _place(document: Document, term: str, element: str, own: bool = False) -> int | None:
    """Which agreement is about this element; with ``own`` not one about everything."""
    general = None
    for number, agreed in enumerate(document.get("slaProperties") or ()):
        if str(agreed.get("property", "")).lower() != term:
            continue
        said = [part.strip() for part in str(agreed.get("element") or "").split(",") if part.strip()]
        if element in said or (not own and term == "freshness" and any(part.split(".")[0] == element for part in said)):
            return number
        if not said and not own and general is None:
            general = number
    return general


def _set(document: Document, term: str, place: int | None, value: str | None, element: str) -> None:
    agreed: list[Document] = [dict(each) for each in document.get("slaProperties") or ()]
    if value is not None:
        count, unit = value.split()
        said = {"property": term, "value": int(count), "unit": unit.rstrip("s")}
        if place is None:
            agreed.append({**said, "element": element})
        else:
            agreed[place] |= {"value": said["value"], "unit": said["unit"]}
    elif place is not None:
        del agreed[place]
    if agreed:
        document["slaProperties"] = agreed
    else:
        document.pop("slaProperties", None)


def is_same_length(one: str | None, other: str | None) -> bool:
    """Whether two durations are equally long: a day is 24 hours."""
    return (None if one is None else seconds(one)) == (None if other is None else seconds(other))
