"""The comparison page."""

from __future__ import annotations

import msgspec
import pytest

from pilotage.models import flow, pages
from pilotage.models.records import Comparison
from pilotage.models.rules import pictures
from pilotage.platform import charts
from pilotage.usecase import flow as usecase
from pilotage.web.rendering import environment
from tests.models.conftest import Trained


@pytest.fixture
def shown(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> Trained:
    monkeypatch.setattr(usecase, "find_adopted", lambda work, name: trained.definition)
    return trained


def render(trained: Trained) -> str:
    template = pages.comparison_page.fn("late_arrival", trained.work)
    return environment().get_template(template.template_name).render(csrf_input="", **template.context)


def test_the_recommendation_comes_before_the_figures(shown: Trained) -> None:
    html = render(shown)
    assert html.index(shown.comparison.reason) < html.index("<table")
    assert html.count("<svg") >= 2
    assert "<script>" not in html
    assert " style=" not in html


def test_every_figure_has_a_plain_sentence(shown: Trained) -> None:
    html = render(shown)
    assert "of 100 alerts about" in html
    assert "it catches about" in html
    assert "One answer takes" in html


def test_keep_the_rule_is_shown_like_any_other_recommendation(shown: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = msgspec.structs.replace(shown.comparison, recommended="rule", reason="Keep the rule: it earns as much.")
    monkeypatch.setattr(flow, "latest_comparison", lambda work, name: kept)
    html = render(shown)
    assert '<p class="notice pass">Keep the rule: it earns as much.</p>' in html


def test_before_training_the_page_says_what_to_do(shown: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow, "latest_comparison", lambda work, name: None)
    assert "pilotage train late_arrival" in render(shown)


def test_a_comparison_of_an_earlier_file_says_so(shown: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = msgspec.structs.replace(shown.definition, substance="another")
    monkeypatch.setattr(usecase, "find_adopted", lambda work, name: changed)
    assert "has changed since" in render(shown)


def test_the_pictures_can_be_drawn_without_any_model(trained: Trained) -> None:
    alone: Comparison = msgspec.structs.replace(trained.comparison, candidates=trained.comparison.candidates[:1])
    assert "<svg" in charts.svg(pictures.money(alone))
    assert "<svg" in charts.svg(pictures.calibration(alone))
