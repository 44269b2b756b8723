"""Vega-Lite specifications of a comparison's pictures."""

from __future__ import annotations

from typing import Any

from pilotage.models.records import Comparison
from pilotage.platform.charts import ACCENT, GOOD, INK, SECOND, WARN
from pilotage.usecase.records import OutcomeKind

_SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"
_COLOURS = (ACCENT, SECOND, GOOD, WARN, INK)


_AXES: dict[OutcomeKind, tuple[str, str]] = {
    "flag": ("Predicted probability", "Observed share"),
    "category": ("Said probability of the answer", "Share of right answers"),
    "number": ("Answer", "What happened"),
}


def money(comparison: Comparison) -> dict[str, Any]:
    """A dot per candidate with its interval, the recommended one in another colour, and a line at nothing."""
    values = [
        {
            "title": one.title.split(",")[0],
            "money": one.money.value,
            "low": one.money.low,
            "high": one.money.high,
            "recommended": one.candidate == comparison.recommended,
        }
        for one in comparison.candidates
    ]
    order = [value["title"] for value in values]
    y = {"field": "title", "type": "nominal", "sort": order, "title": None, "axis": {"labelLimit": 220}}
    colour = {"condition": {"test": "datum.recommended", "value": GOOD}, "value": INK}
    title = f"{comparison.currency} per 1,000 decisions, with 95 % interval"
    return {
        "$schema": _SCHEMA,
        "description": f"Money per 1,000 decisions of every candidate, in {comparison.currency}, with 95 % intervals",
        "padding": {"left": 24, "top": 5, "right": 12, "bottom": 5},  # pages letter wider than the drawer measures
        "width": 380,
        "height": 36 * len(values),
        "data": {"values": values},
        "layer": [
            {"mark": {"type": "rule", "color": WARN, "strokeDash": [4, 3]}, "encoding": {"x": {"datum": 0}}},
            {
                "mark": {"type": "rule", "strokeWidth": 2},
                "encoding": {
                    "x": {"field": "low", "type": "quantitative", "title": title, "axis": {"tickCount": 5}},
                    "x2": {"field": "high"},
                    "y": y,
                    "color": colour,
                },
            },
            {
                "mark": {"type": "point", "filled": True, "size": 80, "opacity": 1},
                "encoding": {"x": {"field": "money", "type": "quantitative"}, "y": y, "color": colour},
            },
        ],
    }


def calibration(comparison: Comparison) -> dict[str, Any]:
    """Predicted against observed, one line per candidate; on the diagonal an answer means what it says."""
    shown = [one for one in comparison.candidates if one.is_model] or list(comparison.candidates)
    values = [
        {"title": one.title.split(",")[0], "predicted": bin_.predicted, "observed": bin_.observed}
        for one in shown
        for bin_ in one.calibration
    ]
    ends = [end for one in shown for bin_ in one.calibration for end in (bin_.predicted, bin_.observed)]
    is_number = comparison.kind == "number"
    low, high = (min(ends), max(ends)) if is_number else (0.0, min(1.0, 1.1 * max(ends)))
    axis = {"tickCount": 5} if is_number else {"format": "%", "tickCount": 5}
    scale = {"domain": [low, high]}
    predicted, observed = _AXES[comparison.kind]
    colours = {
        "field": "title",
        "type": "nominal",
        "title": None,
        "scale": {
            "domain": [one.title.split(",")[0] for one in shown],
            "range": [_COLOURS[at % len(_COLOURS)] for at in range(len(shown))],
        },
    }
    x = {"field": "predicted", "type": "quantitative", "title": predicted, "axis": axis, "scale": scale}
    y = {"field": "observed", "type": "quantitative", "title": observed, "axis": axis, "scale": scale}
    return {
        "$schema": _SCHEMA,
        "description": f"{predicted} against {observed.lower()}, in bins of equally many decisions",
        "width": 380,
        "height": 240,
        "layer": [
            {
                "data": {"values": [{"at": low}, {"at": high}]},
                "mark": {"type": "line", "color": INK, "strokeDash": [4, 3], "strokeWidth": 1},
                "encoding": {name: {"field": "at", "type": "quantitative"} for name in ("x", "y")},
            },
            {
                "data": {"values": values},
                "mark": {"type": "line", "point": True},
                "encoding": {"x": x, "y": y, "color": colours},
            },
        ],
    }
