"""The comparison page."""

from __future__ import annotations

import msgspec
import pytest

from pilotage.models import flow, pages
from pilotage.models.records import Comparison, Estimate, Group, Grouped, Search, Trial
from pilotage.models.rules import pictures, wording
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


def test_the_verdict_and_what_no_model_would_earn_are_shown(shown: Trained) -> None:
    html = render(shown)
    assert 'Verdict: <span class="badge inconclusive">Not enough evidence</span>' in html
    assert "Without a model: never acting" in html
    assert "Per 1,000 decisions and without any model, always acting would have been worth −" in html
    assert html.count("; p&nbsp;") == 3


def test_slices_that_are_surely_worse_are_told_and_the_small_ones_counted(shown: Trained) -> None:
    html = render(shown)
    told = wording.worst_slices(shown.comparison)
    assert told and all(f"<li>{one}" in html for one in told)
    assert "those are named that are worse by more than chance" in html
    assert "more had fewer than 50 decisions, 10 positive outcomes or 5 days" in html


def test_every_figure_has_a_plain_sentence(shown: Trained) -> None:
    html = render(shown)
    assert "of 100 alerts about" in html
    assert "it catches about" in html
    assert "One answer takes" in html


def test_keep_the_rule_is_shown_like_any_other_recommendation(shown: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = msgspec.structs.replace(shown.comparison, verdict="keep_rule", reason="Keep the rule: it is.")
    monkeypatch.setattr(flow, "latest_comparison", lambda work, name: kept)
    html = render(shown)
    assert '<p class="notice pass">Keep the rule: it is.</p>' in html


def test_before_training_the_page_says_what_to_do(shown: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow, "latest_comparison", lambda work, name: None)
    assert "pilotage train late_arrival" in render(shown)


def test_a_comparison_of_an_earlier_file_says_so(shown: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = msgspec.structs.replace(shown.definition, substance="another")
    monkeypatch.setattr(usecase, "find_adopted", lambda work, name: changed)
    html = render(shown)
    assert "has changed since" in html
    assert "Next: <code>pilotage build late_arrival</code>" in html


def test_after_a_release_the_page_still_names_a_command_that_works(
    shown: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    pilot = msgspec.structs.replace(shown.comparison, verdict="pilot", recommended="boosted", reviews_free=True)
    monkeypatch.setattr(flow, "latest_comparison", lambda work, name: pilot)
    html = render(shown)
    assert "Next: <code>pilotage test late_arrival --candidate boosted</code>" in html
    assert "reviews are counted as free: set brief.value.review_minute" in html


def test_the_pictures_can_be_drawn_without_any_model(trained: Trained) -> None:
    alone: Comparison = msgspec.structs.replace(trained.comparison, candidates=trained.comparison.candidates[:1])
    assert "<svg" in charts.svg(pictures.money(alone))
    assert "<svg" in charts.svg(pictures.calibration(alone))


def test_what_was_found_by_looking_closer_has_sections_of_its_own(shown: Trained) -> None:
    html = render(shown)
    for heading in ("Would more data help?", "What each source is worth to it", "Does it last?", "when it is sure"):
        assert heading in html
    assert "the surest 50" in html
    assert "Clearly below the threshold" in html
    assert html.count('class="drawn"') == 5
    assert "Groups of people" not in html
    assert "Settings tried" not in html


def test_groups_and_searches_are_shown_where_there_are_any(shown: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    group = Group("f", 900, {"selection": Estimate(0.1, 0.05, 0.15, 0.02)})
    ratio = Estimate(0.5, 0.4, 0.6, 0.05)
    grouped = Grouped(
        "sex",
        "boosted",
        (group, msgspec.structs.replace(group, value="m")),
        "selection",
        ratio,
        "f",
        "m",
        0.9,
        1,
        0.8,
        True,
        1,
        12,
    )
    search = Search("boosted", "log_loss", (Trial({"trees": 90.0}, 0.4, 2.0),), 1, {"trees": 90.0}, 3, 2.0, 600.0)
    found = msgspec.structs.replace(shown.comparison, fairness=(grouped,), searches=(search,))
    monkeypatch.setattr(flow, "latest_comparison", lambda work, name: found)
    html = render(shown)
    assert 'class="notice fail">By sex: it acts on 10.0 % of the cases of “f”' in html
    assert "One group (12 decisions in all) is too small to be judged." in html
    assert "1 of 1 settings tried on 3 folds of the training part" in html
    assert "–</td>" in html


def test_a_comparison_of_an_earlier_version_has_no_such_sections(
    shown: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    earlier = msgspec.structs.replace(
        shown.comparison, learning=None, ablation=None, stability=None, surest=(), bands=()
    )
    monkeypatch.setattr(flow, "latest_comparison", lambda work, name: earlier)
    html = render(shown)
    assert "Would more data help?" not in html
    assert "Does it last?" not in html
