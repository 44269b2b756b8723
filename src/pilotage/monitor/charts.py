"""Charts of the operate page, as Vega-Lite specifications. Pure functions; ``platform.charts`` draws them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from pilotage.monitor.records import Day, Hour
from pilotage.monitor.rules import reason_words
from pilotage.platform.charts import ACCENT, BAD, INK, SECOND, WARN
from pilotage.releases.records import Live

_WIDTH, _HEIGHT = 640, 180
_HOURS_MAX = 24 * 7
ANSWERED = "as intended"
_COLOURS = [ACCENT, BAD, SECOND, WARN, INK]


def volume(hours: Sequence[Hour], changes: Iterable[Live]) -> dict[str, Any]:
    """Decisions per hour over the last seven days that have any, fallbacks by reason on top, changes as marks."""
    newest = max(each.hour for each in hours)
    shown = [each for each in hours if each.hour > newest - timedelta(hours=_HOURS_MAX)]
    first, end = min(each.hour for each in shown), newest + timedelta(hours=1)
    reasons = sorted({reason for each in shown for reason in each.fallbacks})
    kinds = [ANSWERED, *dict.fromkeys(reason_words(reason) for reason in reasons)]
    time = {"type": "temporal", "title": None, "scale": {"type": "utc", "domain": [_utc(first), _utc(end)]}}
    bars = {
        "data": {"values": [row for each in shown for row in _rows(each)]},
        "mark": {"type": "rect"},
        "encoding": {
            "x": {"field": "from", **time, "axis": _time_axis(end - first)},
            "x2": {"field": "to"},
            "y": {"field": "low", "type": "quantitative", "title": "decisions per hour", "scale": {"zero": True},
                  "axis": {"tickCount": 4, "tickMinStep": 1, "titlePadding": 10}},
            "y2": {"field": "high"},
            "color": {"field": "kind", "type": "nominal", "title": None,
                      "scale": {"domain": kinds, "range": [_COLOURS[i % len(_COLOURS)] for i in range(len(kinds))]}},
        },
    }  # fmt: skip
    marks = {
        "data": {"values": [{"at": _utc(each.changed_at)} for each in changes if first <= each.changed_at <= end]},
        "mark": {"type": "rule", "strokeDash": [4, 3], "color": INK, "clip": True},
        "encoding": {"x": {"field": "at", **time}},
    }
    return _chart("Decisions per hour, fallbacks by reason", [bars, marks])


def earnings(days: Sequence[Day], currency: str) -> dict[str, Any]:
    """What model and rule earned up to each day, on the same decisions."""
    rows: list[dict[str, Any]] = []
    step = max(1, len(days) // 7)
    model = rule = 0.0
    for each in days:
        model, rule = model + each.model, rule + each.rule
        rows += [
            {"day": each.day.isoformat(), "who": "model", "money": model},
            {"day": each.day.isoformat(), "who": "rule", "money": rule},
        ]
    line = {
        "data": {"values": rows},
        "mark": {"type": "line"},
        "encoding": {
            "x": {"field": "day", "type": "temporal", "title": None, "scale": {"type": "utc"},
                  "axis": {"grid": False, "format": "%-d %b", "tickCount": {"interval": "day", "step": step}}},
            "y": {"field": "money", "type": "quantitative", "title": f"{currency}, summed up",
                  "axis": {"tickCount": 5, "format": ",.0f", "titlePadding": 14}},
            "color": {"field": "who", "type": "nominal", "title": None,
                      "scale": {"domain": ["model", "rule"], "range": [ACCENT, SECOND]}},
            "strokeDash": {"field": "who", "type": "nominal", "title": None,
                           "scale": {"domain": ["model", "rule"], "range": [[1, 0], [6, 3]]}},
        },
    }  # fmt: skip
    return _chart("Money of model and rule on the same decisions, summed up", [line])


def _chart(description: str, layers: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "description": description,
        "width": _WIDTH,
        "height": _HEIGHT,
        "layer": layers,
    }


def _rows(hour: Hour) -> list[dict[str, Any]]:
    """The bar of one hour, in pieces from the ground up."""
    span = {"from": _utc(hour.hour), "to": _utc(hour.hour + timedelta(hours=1))}
    pieces = {ANSWERED: hour.decisions - sum(hour.fallbacks.values())}
    pieces |= {reason_words(reason): count for reason, count in sorted(hour.fallbacks.items())}
    rows: list[dict[str, Any]] = []
    low = 0
    for kind, count in pieces.items():
        if count:
            rows.append({**span, "kind": kind, "low": low, "high": low + count})
            low += count
    return rows


def _time_axis(span: timedelta) -> dict[str, Any]:
    """Ticks that leave room for their labels."""
    return {"grid": False, "format": _format(span), "tickCount": 5, "labelOverlap": "greedy", "labelSeparation": 8}


def _format(span: timedelta) -> str:
    return "%-d %b" if span > timedelta(days=3) else "%-d %b %H:%M"


def _utc(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")
