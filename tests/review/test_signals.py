"""A signal is said as it was recorded, in every language that has a file."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from pilotage.models import explaining
from pilotage.review.rules import signals
from pilotage.usecase.records import OutcomeKind
from tests.models.test_explaining import CARRIER, INSTANT, LAST, LEAVES, OPEN, USUAL
from tests.review.arranging import a_decision

AT = datetime(2013, 12, 5, 16, tzinfo=UTC)
WORDS = {"note": [("late", 1.0), ("crew", 0.5)]}
NOTE = msgspec.structs.replace(CARRIER, name="note", kind="text")
ANSWERS: dict[OutcomeKind, Any] = {"flag": True, "category": "late", "number": 12.5}
CASES = [
    (LAST, 1234.5, "Last arrival of this aircraft, minutes late: 1.234 (üblich: −5)"),
    (LAST, None, "Last arrival of this aircraft, minutes late: nicht bekannt (üblich: −5)"),
    (CARRIER, "EV", "Carrier: EV (16 % der Entscheidungen)"),
    (CARRIER, "ZZ", "Carrier: ZZ (im Training selten oder nie vorgekommen)"),
    (CARRIER, None, "Carrier: nicht bekannt"),
    (OPEN, False, "Runway open: nein (üblich: ja)"),
    (LEAVES, INSTANT, "Scheduled departure: 05.12.2013, 17:30"),
    (NOTE, "The crew is late", "Note: The crew is late (was am meisten zählt: late, crew)"),
]
WAYS = {
    ("flag", 0.5): "erhöht die Wahrscheinlichkeit",
    ("flag", -0.5): "senkt die Wahrscheinlichkeit",
    ("category", 0.5): "erhöht die Wahrscheinlichkeit von late",
    ("category", -0.5): "senkt die Wahrscheinlichkeit von late",
    ("number", 0.5): "erhöht um 1,25",
    ("number", -0.5): "senkt um 1,25",
}


@pytest.mark.parametrize(("kind", "weight"), WAYS)
@pytest.mark.parametrize(("column", "value", "german"), CASES)
def test_a_signal_says_the_same_in_every_language(
    column: Any, value: Any, german: str, kind: OutcomeKind, weight: float
) -> None:
    about = explaining.About("late" if kind == "category" else "", 2.5, WORDS)
    reasons = explaining.Reasons([column], USUAL, kind)
    (signal,) = reasons.strongest({column.name: weight}, {column.name: value}, about, 5)
    recorded = msgspec.json.decode(msgspec.json.encode(signal))
    decision = a_decision(AT, inputs={column.name: value}, model_answer=ANSWERS[kind])

    def told(language: str) -> str:
        return signals.sentence(recorded, signals.Told(decision, {column.name: column}, language))

    assert told("en") == signal.sentence
    assert told("de") == f"{german} – {WAYS[kind, weight]}"


def test_a_signal_of_an_earlier_release_is_told_without_what_is_usual() -> None:
    recorded = {"column": "carrier", "value": "UA", "sentence": "Carrier: UA (84 % of decisions) — raises the chance"}
    decision = a_decision(AT, inputs={"carrier": "UA"})
    told = signals.sentence({**recorded, "weight": 0.1}, signals.Told(decision, {"carrier": CARRIER}, "de"))
    assert told == "Carrier: UA – erhöht die Wahrscheinlichkeit"


def test_a_hidden_value_stays_hidden_in_every_language() -> None:
    recorded = {"column": "note", "value": "•••", "sentence": "Note: ••• — raises the chance", "weight": 0.1}
    decision = a_decision(AT, inputs={"note": "Ann has the flu"})
    told = signals.sentence(recorded, signals.Told(decision, {"note": NOTE}, "de"))
    assert told == "Note: ••• – erhöht die Wahrscheinlichkeit"
