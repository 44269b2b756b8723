"""Vega-Lite specifications of what was found by looking closer at one model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pilotage.models.records import Ablation, Comparison, Estimate, Learning, Stability
from pilotage.models.rules.measures import main
from pilotage.platform.charts import ACCENT, GOOD, INK, WARN

_SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"
_ABLATED_MAX = 12


def learning(comparison: Comparison, found: Learning) -> dict[str, Any]:
    """Money against the number of rows that taught it."""
    values = [{"at": one.rows, **_ends(one.money)} for one in found.parts]
    rows = [value["at"] for value in values]
    x = {
        "field": "at",
        "type": "quantitative",
        "title": "Decisions to learn from, the newest",
        "scale": {"type": "log", "base": 2, "nice": False, "padding": 20},
        "axis": {"values": rows, "format": ",.0f"},
    }
    return _course(values, x, f"{comparison.currency} per 1,000 decisions", "Money by decisions to learn from")


def stability(comparison: Comparison, found: Stability) -> dict[str, Any]:
    """The main measure by week or month."""
    measure = main(comparison.kind)
    values = [{"at": one.begins.strftime("%Y-%m-%d"), **_ends(one.measure, measure.scale)} for one in found.periods]
    x = {"field": "at", "type": "temporal", "title": f"By {found.span}", "axis": {"tickCount": 6, "format": "%d %b"}}
    return _course(values, x, measure.heading, f"{measure.title} by {found.span} of the held-out time")


def ablation(comparison: Comparison, found: Ablation) -> dict[str, Any]:
    """What would be lost without each source or column, a dot with its interval."""
    values = [{"title": one.name, **_ends(one.money)} for one in found.groups[:_ABLATED_MAX]]
    y = {
        "field": "title",
        "type": "nominal",
        "sort": [value["title"] for value in values],
        "title": None,
        "axis": {"labelLimit": 220},
    }
    colour = {"condition": {"test": "datum.low > 0", "value": GOOD}, "value": INK}
    title = f"{comparison.currency} lost per 1,000 decisions without it, with 95 % interval"
    span = {"x": {"field": "low", "type": "quantitative", "title": title, "axis": {"tickCount": 5}}}
    return {
        "$schema": _SCHEMA,
        "description": "What the model would lose without each source or column of the request",
        "padding": {"left": 24, "top": 5, "right": 12, "bottom": 5},
        "width": 380,
        "height": 26 * max(2, len(values)),
        "data": {"values": values},
        "layer": [
            {"mark": {"type": "rule", "color": WARN, "strokeDash": [4, 3]}, "encoding": {"x": {"datum": 0}}},
            {
                "mark": {"type": "rule", "strokeWidth": 2},
                "encoding": {**span, "x2": {"field": "high"}, "y": y, "color": colour},
            },
            {
                "mark": {"type": "point", "filled": True, "size": 70, "opacity": 1},
                "encoding": {"x": {"field": "value", "type": "quantitative"}, "y": y, "color": colour},
            },
        ],
    }


def _course(values: Sequence[dict[str, Any]], x: dict[str, Any], title: str, description: str) -> dict[str, Any]:
    """A line with an interval at each of its points."""
    scale = {"zero": False}
    return {
        "$schema": _SCHEMA,
        "description": description,
        "width": 380,
        "height": 180,
        "data": {"values": list(values)},
        "layer": [
            {
                "mark": {"type": "rule", "strokeWidth": 2, "color": INK},
                "encoding": {
                    "x": x,
                    "y": {"field": "low", "type": "quantitative", "title": title, "scale": scale},
                    "y2": {"field": "high"},
                },
            },
            {
                "mark": {"type": "line", "point": {"size": 60, "color": ACCENT}, "color": ACCENT},
                "encoding": {"x": x, "y": {"field": "value", "type": "quantitative", "scale": scale}},
            },
        ],
    }


def _ends(one: Estimate, scale: float = 1.0) -> dict[str, Any]:
    return {"value": scale * one.value, "low": scale * one.low, "high": scale * one.high}
