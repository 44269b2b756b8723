"""What was found by looking closer, in sentences that say no more than the intervals do."""

from __future__ import annotations

import msgspec
import pytest

from pilotage.models.records import Ablation, Comparison, Estimate, Learning, Stability, Without
from pilotage.models.rules import closer
from tests.models.conftest import Trained


def around(value: float, width: float) -> Estimate:
    return Estimate(value, value - width, value + width, width / 2)


def learnt(comparison: Comparison, money: Estimate, loss_less: Estimate) -> str:
    assert comparison.learning is not None
    found = msgspec.structs.replace(comparison.learning, money_more=money, loss_less=loss_less)
    return closer.more_data(msgspec.structs.replace(comparison, learning=found))


def test_more_data_helps_only_where_the_interval_says_so(trained: Trained) -> None:
    comparison = trained.comparison
    assert learnt(comparison, around(200, 100), around(0.01, 0.02)).startswith("Probably yes: twice as many")
    assert learnt(comparison, around(200, 300), around(0.01, 0.005)).startswith("It would know more")
    assert learnt(comparison, around(200, 300), around(0.01, 0.02)).startswith("No sign of it: ")
    assert learnt(comparison, around(-200, 100), around(0.01, 0.02)).startswith("Not more of the old: ")
    told = learnt(comparison, around(200, 100), around(0.01, 0.02))
    assert "worth 200 USD more per 1,000 (95 % interval 100 to 300 USD)" in told
    assert "changed the log loss by −0.01 (95 % interval −0.03 to +0.01; smaller is better)" in told


def test_where_nothing_could_be_learnt_again_that_is_said(trained: Trained) -> None:
    found = Learning("boosted", (), None, None, None, (100, 200))
    told = closer.more_data(msgspec.structs.replace(trained.comparison, learning=found))
    assert told == "That cannot be told: learning again from parts of the rows would have taken too long."
    assert closer.more_data(msgspec.structs.replace(trained.comparison, learning=None)) == ""


def test_each_source_has_a_sentence_and_those_that_are_not_missed_share_one(trained: Trained) -> None:
    groups = (
        Without("weather", ("a",), around(120, 50), around(-0.02, 0.01), around(0.01, 0.005)),
        Without("arrivals", ("b",), around(20, 50), around(-0.02, 0.01), around(0.01, 0.005)),
        Without("origin", ("c",), around(5, 50), around(-0.001, 0.01), around(0, 0.005)),
        Without("carrier", ("d",), around(-5, 50), around(-0.001, 0.01), around(0, 0.005)),
    )
    found = Ablation("boosted", False, groups, ("tail",))
    comparison = msgspec.structs.replace(trained.comparison, ablation=found)
    assert closer.losses(comparison) == [
        "Without weather it would earn 120 USD less per 1,000 decisions (95 % interval 70 to 170 USD).",
        (
            "Without arrivals it would know less, with no sure difference in money: 20 USD less per 1,000 decisions "
            "(95 % interval −70 to 30 USD)."
        ),
        "Without origin or carrier it would lose no more than chance explains, each alone.",
    ]
    assert closer.how_ablated(found).endswith("Not tried: tail.")


@pytest.mark.parametrize(("change", "answer"), [(0.0, "Yes, as far as"), (0.05, "Yes: "), (-0.05, "No: ")])
def test_it_lasts_unless_its_measure_surely_fell(trained: Trained, change: float, answer: str) -> None:
    found = Stability("boosted", "week", (), around(change, 0.02), (0.7, 0.7 + change))
    told = closer.lasting(msgspec.structs.replace(trained.comparison, stability=found))
    assert told.startswith(answer)
    assert f"from 0.700 in the first half of the held-out time to {0.7 + change:.3f} in the second" in told


def test_of_a_number_a_growing_error_is_what_does_not_last(trained: Trained) -> None:
    found = Stability("boosted", "week", (), around(3.0, 1.0), (20.0, 23.0))
    comparison = msgspec.structs.replace(trained.comparison, kind="number", stability=found)
    assert closer.lasting(comparison).startswith("No: its mean error went from 20.00")


NOT_SURELY = "To answer only the surest decisions is not surely worth more than to answer all of them."


def test_answering_less_is_only_praised_where_it_is_worth_more(trained: Trained) -> None:
    surest = trained.comparison.surest
    none = [
        msgspec.structs.replace(one, money=around(99_999, 1), more=around(9, 10), p_family=0.3) for one in surest[1:]
    ]
    assert closer.surest(msgspec.structs.replace(trained.comparison, surest=(surest[0], *none))) == NOT_SURELY
    better = msgspec.structs.replace(surest[3], money=around(99_999, 1), more=around(999, 1), p_family=0.001)
    told = closer.surest(msgspec.structs.replace(trained.comparison, surest=(*surest[:1], *none[:2], better)))
    assert told.startswith(
        "If it only answered the surest 50 % and left the others to the rule, it would be worth 99,999"
    )
    assert "by more than chance with 3 shares looked at" in told


def test_a_comparison_kept_before_shares_were_compared_praises_none(trained: Trained) -> None:
    kept = [msgspec.structs.replace(one, more=None, p_family=None) for one in trained.comparison.surest]
    assert closer.surest(msgspec.structs.replace(trained.comparison, surest=tuple(kept))) == NOT_SURELY
