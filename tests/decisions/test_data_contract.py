"""A request that breaks the contract of its data: the model is not asked where that blocks, and the column is named."""

from __future__ import annotations

import dataclasses

import pytest
from prometheus_client import REGISTRY
from tests.decisions.test_service import FILE, Model, ask, serving

from pilotage.data.contracts.guarding import guard
from pilotage.data.contracts.reading import parsed
from pilotage.decisions import flow
from pilotage.decisions.answering.serving import Serving
from pilotage.decisions.records import REASONS
from pilotage.govern.records import SYSTEM
from pilotage.platform.workspace import Workspace
from pilotage.releases.records import Stage
from pilotage.review.rules import words
from pilotage.usecase.flow import adopt, parse_definition
from pilotage.usecase.records import Definition

CONTRACT = """
contract: things
owner: things@example.com
columns:
  thing: {type: text, pattern: "^t[0-9]+$"}
  size: {type: number, max: 5, severity: blocks}
  colour: {type: text, categories: [red]}
"""


@pytest.fixture
def definition(work: Workspace) -> Definition:
    return adopt(work, parse_definition(FILE, "small.yaml"), SYSTEM)


def guarded(definition: Definition, model: Model | None, stage: Stage = Stage.ASSIST, quiet: str = "") -> Serving:
    names = {name: name for name in ("thing", "size", "colour")}
    return dataclasses.replace(serving(definition, model, stage, quiet), guard=guard(parsed(CONTRACT, "things"), names))


def body(size: float, thing: str = "t1", colour: str = "red") -> bytes:
    return f'{{"thing": "{thing}", "size": {size}, "at": "2013-12-05T19:00:00Z", "colour": "{colour}"}}'.encode()


def never() -> float:
    raise AssertionError("the model was asked")


def test_the_model_is_not_asked_and_the_rule_answers_with_its_reason(work: Workspace, definition: Definition) -> None:
    answer = ask(work, guarded(definition, Model(never)), body(7))
    assert (answer.produced_by, answer.reason, answer.action) == ("rule", "contract_broken", "Do it")
    assert answer.because == REASONS["contract_broken"]
    assert answer.flags == ("contract_broken:size:range",)
    kept = flow.find(work, answer.id)
    assert (kept.model_failure, kept.probability, kept.flags) == ("contract_broken", None, answer.flags)


def test_what_only_warns_is_flagged_and_counted_and_the_model_answers(work: Workspace, definition: Definition) -> None:
    def counted(column: str) -> float:
        labels = {"use_case": "small", "column": column}
        return REGISTRY.get_sample_value("pilotage_contract_breaches_total", labels) or 0.0

    def unknown() -> float:
        labels = {"use_case": "small", "column": "colour"}
        return REGISTRY.get_sample_value("pilotage_unknown_categories_total", labels) or 0.0

    unknown_before, before = unknown(), (counted("thing"), counted("colour"))
    answer = ask(work, guarded(definition, Model(lambda: 0.6)), body(3, "x1", "unheard"))
    assert (answer.produced_by, answer.reason) == ("model", "model")
    assert answer.flags == (
        "contract_warning:thing:pattern",
        "contract_warning:colour:categories",
        "unknown_category:colour",
    )
    assert (counted("thing"), counted("colour")) == (before[0] + 1, before[1] + 1)
    assert unknown() == unknown_before + 1


def test_a_request_that_keeps_the_contract_is_answered_as_ever(work: Workspace, definition: Definition) -> None:
    answer = ask(work, guarded(definition, Model(lambda: 0.6)), body(3))
    assert (answer.produced_by, answer.flags) == ("model", ())


@pytest.mark.parametrize(
    ("stage", "quiet", "reason"),
    [(Stage.SHADOW, "", "shadow"), (Stage.OFF, "off", "off"), (Stage.ASSIST, "disabled", "disabled")],
)
def test_where_the_model_would_not_answer_anyway_the_stage_stays_the_reason(
    work: Workspace, definition: Definition, stage: Stage, quiet: str, reason: str
) -> None:
    answer = ask(work, guarded(definition, None if quiet else Model(never), stage, quiet), body(7))
    assert (answer.reason, answer.flags) == (reason, ("contract_broken:size:range",))


def test_the_card_says_it_in_both_languages() -> None:
    assert "contract" in words.text("contract_broken", "en")
    assert "Datenvertrag" in words.text("contract_broken", "de")
