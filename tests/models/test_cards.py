"""The model card, and the same in plain words."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest
import yaml

from pilotage.models import flow, pages
from pilotage.models.flow import carding
from pilotage.models.records import Comparison, Estimate, Slice
from pilotage.models.rules.cards import card, plain
from pilotage.models.rules.cards.blocks import blocks
from pilotage.models.rules.cards.subject import Subject
from pilotage.platform.errors import EvidenceMissing, NotFound
from pilotage.usecase import flow as usecase
from pilotage.web.rendering import environment
from tests.models import flights
from tests.models.conftest import Trained


@pytest.fixture(scope="module")
def kept(trained: Trained) -> Iterator[Trained]:
    """The comparison with its training set, as the data room would find it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(carding, "find_training_set", lambda work, identifier: flights.training_set(trained.rows))
        yield trained


@pytest.fixture(scope="module")
def subject(kept: Trained) -> Subject:
    return flow.subject_of(kept.work, kept.definition, "boosted")


def test_the_head_names_the_task_and_every_figure_with_its_interval(subject: Subject) -> None:
    head, _, body = flow.card_text(subject).removeprefix("---\n").partition("---\n")
    found = yaml.safe_load(head)
    assert found["pipeline_tag"] == "tabular-classification"
    (result,) = found["model-index"][0]["results"]
    metrics = {one["name"]: one for one in result["metrics"]}
    auc = subject.measured.measures["auc"]
    assert metrics["auc"]["type"] == "roc_auc"
    assert metrics["auc"]["value"] == pytest.approx(auc.value, abs=1e-6)
    assert metrics["auc"]["args"]["low"] == pytest.approx(auc.low, abs=1e-6)
    assert set(metrics) == set(subject.measured.measures)
    assert body.startswith("\n# Late arrivals: Boosted trees\n")


def test_the_hub_reads_the_card(subject: Subject) -> None:
    hub = pytest.importorskip("huggingface_hub")
    data = hub.ModelCard(flow.card_text(subject)).data
    assert data.model_name == "late_arrival-boosted"
    assert {one.metric_type for one in data.eval_results} >= {"roc_auc", "precision", "recall"}
    assert all(one.task_type == "tabular-classification" for one in data.eval_results)


def test_the_card_says_what_it_stands_on_and_how_it_is_switched_off(subject: Subject, kept: Trained) -> None:
    text = flow.card_text(subject)
    assert kept.comparison.reason in text
    assert f"`{subject.artefact}`" in text
    assert "lightgbm" in text
    assert "set_1" in text
    assert "pilotage disable late_arrival" in text
    assert "| The rule of today | " in text
    assert "It was judged on 11 days: seasons that these do not hold" in text
    assert "\n\n\n" not in text


def test_each_line_of_the_card_is_a_sentence_with_its_question(kept: Trained) -> None:
    looked_at = flow.subject_of(kept.work, kept.definition, kept.comparison.sliced)
    lines = dict(card.sections(looked_at))["What it leans on, and whether it lasts"]
    assert [line for line in lines if line.startswith("- Would more data help? ")]
    assert [line for line in lines if line.startswith("- Does it last? ")]
    assert not [line for line in lines if line.startswith(("- No", "- Yes", "- Probably", "- That", "- It "))]


def test_the_card_says_whether_reviews_cost_anything(subject: Subject) -> None:
    assert subject.measured.review_share
    assert "; reviews are paid for." in flow.card_text(subject)
    free = msgspec.structs.replace(subject, comparison=msgspec.structs.replace(subject.comparison, reviews_free=True))
    said = flow.card_text(free)
    assert "reviews are paid for" not in said
    assert "; reviews are counted as free: set brief.value.review_minute to count them." in said


def test_without_a_name_the_recommended_model_or_the_best_one_is_described(kept: Trained) -> None:
    best = max(kept.comparison.candidates[1:], key=lambda one: one.money.value)
    assert flow.subject_of(kept.work, kept.definition).measured == best


def test_a_model_that_was_not_trained_is_not_described(kept: Trained) -> None:
    with pytest.raises(NotFound, match="no model forest") as caught:
        flow.subject_of(kept.work, kept.definition, "forest")
    assert "linear, additive, boosted" in str(caught.value)
    another = msgspec.structs.replace(
        kept.definition, use_case=msgspec.structs.replace(kept.definition.use_case, use_case="another")
    )
    with pytest.raises(EvidenceMissing, match="pilotage train another"):
        flow.subject_of(kept.work, another)


def test_of_a_hundred_alerts_and_a_hundred_cases_the_wrong_ones_are_counted(subject: Subject) -> None:
    alerts, cases = plain.hundreds(subject)
    assert alerts.marked == round(100 * (1 - subject.measured.measures["precision"].value))
    assert alerts.sentence == f"Of 100 alerts about {alerts.marked} are false alarms."
    assert cases.marked == round(100 * (1 - subject.measured.measures["recall"].value))
    assert "arrives more than 30 minutes late" in cases.sentence


def test_who_never_alerts_has_no_false_alarms_to_count(subject: Subject) -> None:
    silent = msgspec.structs.replace(subject, measured=msgspec.structs.replace(subject.measured, alerts_share=0.0))
    assert [one.marked_word for one in plain.hundreds(silent)] == ["missed"]


def test_lines_of_lists_and_tables_are_shown_together() -> None:
    found = blocks(
        ("First.", "- **Made:** today", "- **By:** `code`", "| a | b |", "| --- | --- |", "| 1 | 2 |", "End.")
    )
    assert [one.paragraph for one in found] == ["First.", "", "", "End."]
    assert found[1].items == (("Made", "today"), ("By", "code"))
    assert found[2].rows == (("a", "b"), ("1", "2"))


@pytest.mark.parametrize("page", [pages.card_page, pages.plain_page])
def test_both_pages_are_shown_without_a_script(kept: Trained, monkeypatch: pytest.MonkeyPatch, page: object) -> None:
    monkeypatch.setattr(usecase, "find_adopted", lambda work, name: kept.definition)
    template = page.fn("late_arrival", kept.work, "boosted")  # type: ignore[attr-defined]
    html = environment().get_template(template.template_name).render(csrf_input="", **template.context)
    assert "<script>" not in html
    assert " style=" not in html
    assert "Late arrivals" in html
    assert html.count("<circle") in (1, 201)  # one is the logo


JARGON = (
    "AUC", "p =", "p&nbsp;", "interval", "log loss", "log-odds", "calibrat", "95 %", "confidence", "coverage", "recall",
    "precision", "quantile", "threshold", "held-out", "slice", "Mean error", "Brier", "regression",
)  # fmt: skip


def off(value: float, error: float = 0.1) -> Estimate:
    return Estimate(value, value - 1.96 * error, value + 1.96 * error, error)


def corporate(behind: float) -> Slice:
    return Slice(
        "segment", "corporate", 266, None, off(1.0), off(5321.0, 900), off(25.1), 25.1 - behind, off(behind, 1)
    )


def of_a_number(subject: Subject, **changed: object) -> Subject:
    """The same subject as if its outcome were a price."""
    figures = {"mean_absolute_error": off(18.714), "coverage": off(0.8, 0.01)}
    rule = {"mean_absolute_error": off(49.916)}
    measured = msgspec.structs.replace(subject.measured, measures=figures)
    candidates = tuple(
        measured if one.is_model else msgspec.structs.replace(one, measures=rule)
        for one in subject.comparison.candidates
    )
    given = {"kind": "number", "unit": "EUR", "candidates": candidates, "sliced": measured.candidate, **changed}
    comparison: Comparison = msgspec.structs.replace(subject.comparison, **given)
    return msgspec.structs.replace(subject, measured=measured, comparison=comparison)


def words_of(kept: Trained, subject: Subject) -> str:
    context = {
        "page": {"use_case": "late_arrival", "title": "", "active": "comparison"},
        "subject": subject,
        "headline": plain.headline(subject),
        "hundreds": plain.hundreds(subject),
        "sentences": plain.sentences(subject),
    }
    html = environment().get_template("models/plain.html").render(csrf_input="", **context)
    return html.partition("<main")[2]


@pytest.mark.parametrize("verdict", ["pilot", "keep_rule", "not_enough_evidence", "blocked"])
@pytest.mark.parametrize("kind", ["flag", "number", "category"])
def test_no_word_of_statistics_is_on_the_page_in_plain_words(
    kept: Trained, subject: Subject, kind: str, verdict: str
) -> None:
    changed = {
        "verdict": verdict,
        "recommended": "boosted" if verdict == "pilot" else "rule",
        "slices": (corporate(9),),
    }
    shown = of_a_number(subject, **changed)
    if kind != "number":
        figures = subject.measured.measures | {"accuracy": off(0.8)}
        measured = msgspec.structs.replace(subject.measured, measures=figures)
        comparison = msgspec.structs.replace(subject.comparison, kind=kind, sliced="boosted", **changed)
        shown = msgspec.structs.replace(subject, measured=measured, comparison=comparison)
    words = words_of(kept, shown)
    assert "Is it better than today" in words
    assert [word for word in JARGON if word.lower() in words.lower()] == []


def test_of_a_number_it_is_said_how_far_it_is_off_beside_the_rule(subject: Subject) -> None:
    assert plain.headline(subject) == ""
    price = of_a_number(subject)
    assert plain.headline(price) == (
        "On average it is 18.7 EUR off, one way or the other; today's rule is 49.9 EUR off."
    )
    (range_,) = plain.hundreds(price)
    assert range_.sentence.endswith("meant to hold 90 of 100 cases: about 20 turn out to lie outside.")


def test_only_where_it_surely_does_worse_it_is_not_to_be_trusted(subject: Subject) -> None:
    def doubt(behind: float) -> str:
        return dict(plain.sentences(of_a_number(subject, slices=(corporate(behind),))))["When should I not trust it?"]

    assert doubt(7).startswith(
        "Most of all where segment is corporate (266 cases): there it is 25.1 EUR off on average, elsewhere it is "
        "18.1 EUR off on average."
    )
    assert doubt(-7).startswith("No group of cases was found in which it surely does worse than in the others.")
