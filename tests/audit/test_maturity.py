"""How mature the data are, and what moves it."""

from __future__ import annotations

from collections.abc import Collection

import msgspec
import pytest

from pilotage.audit.measured import Measured
from pilotage.audit.records import Answer, Finding, Maturity, Topic
from pilotage.audit.rules.answers import answers
from pilotage.audit.rules.maturity import DIMENSIONS, maturity, with_proof
from tests.audit.reports import finding
from tests.audit.shop_figures import figures
from tests.data.shop import TEXT, shop

__all__ = ["figures"]


def of(measured: Measured, *findings: Finding, contracted: Collection[str] = ()) -> Maturity:
    return maturity(shop(), measured, findings, answers(shop(), measured, findings), contracted)


def scores(mature: Maturity) -> dict[str, float]:
    return {each.name: each.score for each in mature.dimensions}


def test_every_dimension_lies_between_0_and_100_and_says_why(figures: Measured) -> None:
    mature = of(figures)
    assert [each.name for each in mature.dimensions] == list(DIMENSIONS)
    assert all(0 <= each.score <= 100 and each.why.endswith(".") for each in mature.dimensions)
    assert mature.overall == pytest.approx(sum(scores(mature).values()) / 10, abs=0.06)
    assert scores(mature)["connected"] < 100, "the third store has no visits"
    assert scores(mature)["documented"] == 0


@pytest.mark.parametrize(("dimension", "topics"), [(name, topics) for name, topics in DIMENSIONS.items() if topics])
def test_a_finding_lowers_its_dimension_the_graver_the_more_and_a_repaired_one_raises_it(
    figures: Measured, dimension: str, topics: tuple[Topic, ...]
) -> None:
    contracted = ("orders",)
    before = scores(of(figures, contracted=contracted))
    for topic in topics:
        found = {
            severity: of(figures, finding("fault", severity, topic, column=""), contracted=contracted)
            for severity in ("informs", "warns", "blocks")
        }
        after = {severity: scores(mature)[dimension] for severity, mature in found.items()}
        assert 0 < after["blocks"] < after["warns"] < after["informs"] < before[dimension]
        others = {name: score for name, score in scores(found["warns"]).items() if name != dimension}
        assert others == {name: score for name, score in before.items() if name != dimension}
        assert found["blocks"].overall < of(figures, contracted=contracted).overall


def test_sixty_findings_do_not_make_it_negative(figures: Measured) -> None:
    many = [finding(f"fault-{n}", "blocks", "consistency") for n in range(60)]
    assert scores(of(figures, *many))["consistent"] == 0


def test_contracts_and_answers_document(figures: Measured) -> None:
    assert scores(of(figures, contracted=("orders", "visits", "returns")))["documented"] == 50
    told = shop(TEXT + "\nanswers:\n  systems: All of them.\n  repair: Ring the desk.\n")
    given = answers(told, figures, ())
    assert scores(maturity(told, figures, (), given, ()))["documented"] == pytest.approx(100 / 7, abs=0.1)


def test_owners_of_their_own_count_whole(figures: Measured) -> None:
    assert scores(of(figures))["owned"] == pytest.approx(100 * (1 + 2 * 0.75) / 3, abs=0.1)
    nobody = shop(TEXT.replace("data_owner: data@example.com\n", "").replace("    owner: visits@example.com\n", ""))
    assert scores(maturity(nobody, figures, (), answers(nobody, figures, ()), ()))["owned"] == 0


def test_a_proved_training_set_is_recreatable(figures: Measured) -> None:
    before = of(figures)
    assert scores(before)["recreatable"] == 50
    assert scores(with_proof(before, (), True))["recreatable"] == 100
    assert scores(with_proof(before, (), False))["recreatable"] == 0
    assert with_proof(before, (), True).overall == pytest.approx(before.overall + 5, abs=0.1)


def test_an_empty_shop_has_no_maturity_and_no_division_by_zero(figures: Measured) -> None:
    nothing = msgspec.structs.replace(
        figures,
        newest=None,
        decisions=msgspec.structs.replace(
            figures.decisions, decisions=0, labelled=0, input_completeness={}, matches=()
        ),
        sources={name: msgspec.structs.replace(each, rows=0, columns=()) for name, each in figures.sources.items()},
    )
    given: tuple[Answer, ...] = answers(shop(), figures, ())
    found = scores(maturity(shop(), nothing, (), given, ()))
    assert {name for name, score in found.items() if score == 0} >= {"complete", "current", "unique", "labelled"}
