"""Columns that a database should have given: missing, said to be, and never a reason to fail."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime

from tests.decisions.test_service import BODY, FILE, serving

from pilotage.data.live import LiveColumns
from pilotage.data.places import Reader
from pilotage.data.places.reading import Session
from pilotage.platform.errors import SourceUnavailable
from pilotage.usecase.flow import parse_definition


def gone() -> Session:
    raise SourceUnavailable("There is no such database.", "Start it.")


def test_what_could_not_be_read_is_a_flag_of_the_decision_and_the_rest_is_known() -> None:
    definition = parse_definition(FILE, "small.yaml")
    columns = LiveColumns(definition, [], {}, None, [Reader("gone", ["colour"], gone, (), 5.0)])
    ready = dataclasses.replace(serving(definition, None), columns=columns)
    assert ready.waits
    question = ready.ask(BODY, datetime(2013, 12, 5, 19, tzinfo=UTC))
    assert question.unread == {"colour": "unreachable"}
    assert question.values == {"size": 7.0, "colour": None}
    assert ready._flags(question) == ("not_read:colour:unreachable",)


def test_a_use_case_in_memory_does_not_wait() -> None:
    assert not serving(parse_definition(FILE, "small.yaml"), None).waits
