"""Which kinds of personal data a column's values are, beside what its name says.

A name alone is believed where values cannot contradict it. Where they can (an e-mail address has an at sign) the
values decide; values alone are believed only in forms that hardly arise by chance.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from pilotage.audit.measured.personal import By, Detection
from pilotage.audit.rules.people_in_texts import has_street, is_person, names_person
from pilotage.audit.rules.telling_names import Hint
from pilotage.audit.rules.vocabularies import VOCABULARIES
from pilotage.data.records import ColumnType
from pilotage.govern.rules.masking import partial
from pilotage.govern.rules.traces import is_card, is_phone, traces

WHOLE_SHARE = 0.5
HINTED_SHARE = 0.1
BARE_CARD_SHARE = 0.9
NAME_SHARE = 0.5
NAME_SHARE_HINTED = 0.25
NAMES_MIN = 20
WITHIN_MIN = 2
WITHIN_SHARE = 0.002
# Whole values that a few rows have, in a column made for something else: an e-mail address among notes.
SCATTERED_MIN = 3
SCATTERED_SHARE = 0.005
_FEW = 5
_TRACE_LENGTH_MIN = 6
_EXAMPLES = 2

_TEXT_ONLY = {
    "email",
    "name",
    "address",
    "post-code",
    "iban",
    "mac",
    "ip",
    "account-name",
    "licence-plate",
    "biometric",
}
_NEVER_FLAGS = _TEXT_ONLY | {"phone", "card", "national-id", "person-id", "online-id", "birth-date", "income", "age"}
_TRACED = {
    "email": "email",
    "iban": "iban",
    "card": "card",
    "ssn": "national-id",
    "phone": "phone",
    "ip": "ip",
    "mac": "mac",
}
_TOLD_BY_TIMES = {"offence", "health"}  # when somebody was in jail, or fell ill
_CONTRADICTABLE = {"email", "iban", "ip", "mac"}

_SHORT_MAX, _SHORT_LENGTH = 3, 3
_NEVER_SHORT = _TEXT_ONLY | {"phone", "card", "national-id", "birth-date", "online-id"}
_YES_OR_NO = frozenset({"true", "false", "none", "nein", "unknown", "keine", "maybe", "falsch", "wahr"})

_HASH = re.compile(r"(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64})", re.I)
_YEAR = re.compile(r"(?:.{0,8}[./-])?(1[89]\d\d|20\d\d)(?:\d{4})?(?:[./ T-].*)?")


def detected(
    hint: Hint | None, column_type: ColumnType, values: Sequence[str], first_names: frozenset[str]
) -> tuple[Detection, ...]:
    """Kinds of personal data in a column, by its name and by distinct non-empty ``values`` of it."""
    if hint is not None and not _possible(hint.kind, column_type):
        hint = None
    if column_type != "text":
        return _of_numbers(hint, column_type, values)
    found: dict[str, Detection] = {}
    for seen in (*_of_traces(hint, values), *_of_words(hint, values), *_of_names(hint, values, first_names)):
        found.setdefault(seen.kind, seen)
    if hint is not None and hint.sure and hint.kind not in found:
        named = _by_name_alone(hint.kind, values, found)
        found |= {named.kind: named} if named else {}
    return tuple(found.values())


def _possible(kind: str, column_type: ColumnType) -> bool:
    """A count of e-mails is a number, and a flag says no name."""
    if column_type == "text":
        return True
    if column_type == "datetime":
        return kind == "birth-date" or kind in _TOLD_BY_TIMES
    return kind not in (_NEVER_FLAGS if column_type == "flag" else _TEXT_ONLY)


def _of_numbers(hint: Hint | None, column_type: ColumnType, values: Sequence[str]) -> tuple[Detection, ...]:
    """Numbers, times and flags: as the name says, where the values allow it."""
    cards = [value for value in values if is_card(value)]
    if column_type == "number" and len(cards) >= max(NAMES_MIN, BARE_CARD_SHARE * len(values)):
        by: By = "both" if hint and hint.kind == "card" else "values"
        return (Detection("card", by, len(cards) / len(values), examples=_examples(cards)),)
    if hint is None or not hint.sure or hint.kind == "card":
        return ()
    if hint.kind == "phone":
        return _confirmed("phone", values, _is_bare_phone)
    if hint.kind == "birth-date":
        return _confirmed("birth-date", values, lambda value: bool(_YEAR.fullmatch(value)))
    few = hint.kind != "ethnicity" or len(values) <= NAMES_MIN  # the number of a race that is run
    return (Detection(hint.kind, "name"),) if few else ()


def _confirmed(kind: str, values: Sequence[str], confirms: Callable[[str], bool]) -> tuple[Detection, ...]:
    """What the name says, unless most values contradict it; without values, by the name alone."""
    if not values:
        return (Detection(kind, "name"),)
    fitting = [value for value in values if confirms(value)]
    share = len(fitting) / len(values)
    return (Detection(kind, "both", share, examples=_examples(fitting)),) if share >= WHOLE_SHARE else ()


def _is_bare_phone(value: str) -> bool:
    digits = re.sub(r"[ ()./+-]", "", value)
    return digits.isdigit() and 7 <= len(digits) <= 15 and (is_phone(value) or is_phone("+" + digits))


def _of_traces(hint: Hint | None, values: Sequence[str]) -> list[Detection]:
    """E-mail addresses and their like, as whole values or within longer ones; one example per value and kind."""
    whole: dict[str, list[str]] = {}
    within: dict[str, list[str]] = {}
    for value in values:
        if len(value) >= _TRACE_LENGTH_MIN:
            text = value.strip()
            for kind, trace in {_TRACED[trace.kind]: trace for trace in traces(text)}.items():
                place = whole if (trace.start, trace.end) == (0, len(text)) else within
                place.setdefault(kind, []).append(text[trace.start : trace.end])
    kinds = dict.fromkeys([*whole, *within])
    seen = [_trace_seen(kind, hint, values, whole.get(kind, []), within.get(kind, [])) for kind in kinds]
    return [detection for detection in seen if detection is not None]


def _trace_seen(
    kind: str, hint: Hint | None, values: Sequence[str], whole: list[str], within: list[str]
) -> Detection | None:
    hinted = hint is not None and hint.kind == kind
    share = len(whole) / len(values)
    wanted = HINTED_SHARE if hinted else WHOLE_SHARE
    if kind == "card" and not hinted and sum(number.isdigit() for number in whole) > len(whole) / 2:
        wanted = BARE_CARD_SHARE if len(values) >= NAMES_MIN else 2.0
    if share >= wanted:
        return Detection(kind, "both" if hinted else "values", share, examples=_examples(whole))
    if kind == "card":
        within = [number for number in within if not number.isdigit()]  # one bare number in fifty passes by chance
        whole = [number for number in whole if not number.isdigit()]
    seen = [*whole, *within]
    alone = [value for value in whole if _is_unmistakable(kind, value)]
    scattered = len(alone) >= SCATTERED_MIN and len(alone) >= SCATTERED_SHARE * len(values)
    if len(seen) >= min(WITHIN_MIN, len(values)) and len(seen) >= WITHIN_SHARE * len(values) and (within or scattered):
        return Detection(kind, "both" if hinted else "values", len(seen) / len(values), True, _examples(seen))
    return None


def _is_unmistakable(kind: str, value: str) -> bool:
    """Whether a form alone is enough: bare digits may be any number."""
    if kind == "phone":
        return value.startswith("+")
    return kind in {"email", "iban", "ip"} or (kind == "card" and not value.isdigit())


def _of_words(hint: Hint | None, values: Sequence[str]) -> list[Detection]:
    """Categories whose words are unmistakable, such as male and female."""
    if not values or len(values) > NAMES_MIN:
        return []
    words = {value.strip().lower() for value in values}
    found = []
    for kind, (telling, beside, least) in VOCABULARIES.items():
        hinted = hint is not None and hint.kind == kind
        known = words & (telling | beside)
        if len(words & telling) >= (1 if hinted else least) and len(known) >= WHOLE_SHARE * len(words):
            found.append(Detection(kind, "both" if hinted else "values", len(known) / len(words)))
    return found


def _of_names(hint: Hint | None, values: Sequence[str], first_names: frozenset[str]) -> list[Detection]:
    """Names of people as whole values, or inside texts; postal addresses."""
    if not values:
        return []
    hinted = hint is not None and hint.kind == "name"
    people = [value for value in values if is_person(value, first_names)]
    share = len(people) / len(values)
    enough = len(values) >= (_FEW if hinted else NAMES_MIN)
    if enough and share >= (NAME_SHARE_HINTED if hinted else NAME_SHARE):
        return [Detection("name", "both" if hinted else "values", share, examples=_examples(people))]
    found = []
    if hint is None or not hint.sure:
        found += _inside("name", values, lambda value: names_person(value, first_names), 0.01)
    streets = _inside("address", values, has_street, 0.01)
    if streets and (hint is None or hint.kind in ("address", "post-code")):
        whole = streets[0].share >= WHOLE_SHARE / 2
        by: By = "both" if hint else "values"
        found.append(Detection("address", by, streets[0].share, not whole and hint is None))
    return found


def _inside(kind: str, values: Sequence[str], contains: Callable[[str], bool], least: float) -> list[Detection]:
    number = sum(contains(value) for value in values if len(value) > _TRACE_LENGTH_MIN)
    return [Detection(kind, "values", number / len(values), True)] if number >= max(3, least * len(values)) else []


def _says_otherwise(kind: str, values: Sequence[str]) -> bool:
    """Whether a few short values, such as yes and no, show that a column holds no names, addresses or numbers."""
    if not 0 < len(values) <= _SHORT_MAX or kind not in _NEVER_SHORT:
        return False
    return all(len(value.strip()) <= _SHORT_LENGTH or value.strip().lower() in _YES_OR_NO for value in values)


def _by_name_alone(kind: str, values: Sequence[str], found: dict[str, Detection]) -> Detection | None:
    """What only the name says, unless the values contradict it."""
    if _says_otherwise(kind, values):
        return None
    if len(values) >= _FEW:
        if sum(bool(_HASH.fullmatch(value)) for value in values) >= WHOLE_SHARE * len(values):
            return Detection("person-id", "both", 1.0)
        if kind in _CONTRADICTABLE or (kind == "address" and {"email", "ip", "mac", "iban"} & set(found)):
            return None
        if kind == "phone":
            return next(iter(_confirmed("phone", values, _is_bare_phone)), None)
        if kind == "card":
            return (
                None
                if sum(is_card(value) for value in values) < HINTED_SHARE * len(values)
                else Detection(kind, "both")
            )
        if kind == "birth-date":
            return next(iter(_confirmed(kind, values, lambda value: bool(_YEAR.fullmatch(value)))), None)
        if kind == "name" and sum(any(c.isdigit() for c in value) for value in values) > WHOLE_SHARE * len(values):
            return None
    return Detection(kind, "name")


def _examples(values: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(partial(value) for value in values[:_EXAMPLES]))
