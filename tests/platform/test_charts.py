"""Charts drawn on the server."""

from __future__ import annotations

import pytest

from pilotage.platform import charts

SPEC = {
    "description": "Decisions <by> day",
    "width": 200,
    "height": 100,
    "data": {"values": [{"day": 1, "n": 2}, {"day": 2, "n": 3}]},
    "mark": "line",
    "encoding": {"x": {"field": "day", "type": "quantitative"}, "y": {"field": "n", "type": "quantitative"}},
}


def test_a_chart_is_named_responsive_and_follows_the_pages_colours() -> None:
    drawn = charts.svg(SPEC)
    assert drawn.startswith("<svg ")
    assert "<title>Decisions &lt;by&gt; day</title>" in drawn
    assert 'role="img"' in drawn
    assert "viewBox=" in drawn
    assert "var(--chart-accent, #1f5f99)" in drawn


def test_a_chart_needs_no_inline_style_nor_script() -> None:
    drawn = charts.svg(SPEC)
    assert " style=" not in drawn
    assert "<style" not in drawn
    assert "<script" not in drawn


def test_the_same_chart_is_drawn_once() -> None:
    assert charts.svg(SPEC) is charts.svg(dict(reversed(SPEC.items())))


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/x.csv", "file:///etc/passwd", "/etc/passwd"])
def test_a_chart_loads_nothing_from_outside(url: str) -> None:
    drawn = ""
    try:
        drawn = charts.svg({**SPEC, "data": {"url": url, "format": {"type": "csv"}}})
    except ValueError:
        return
    assert "mark-line" not in drawn or 'd="M' not in drawn.split("mark-line")[1].split("</g>")[0]
