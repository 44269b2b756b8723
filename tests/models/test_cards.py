"""The model card, and the same in plain words."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest
import yaml

from pilotage.models import flow, pages
from pilotage.models.flow import carding
from pilotage.models.rules.cards import plain
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
