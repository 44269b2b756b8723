"""Charts: a Vega-Lite specification in, an SVG text out, drawn on the server without any outside loading.

The picture takes the width of its place and, through the stylesheet's variables, its light or dark colours.
"""

from __future__ import annotations

import functools
import html
import re
from typing import Any

import msgspec

INK, LINE, ACCENT, SECOND, GOOD, BAD, WARN = (
    "#44505f",
    "#d5dde6",
    "#1f5f99",
    "#b0682a",
    "#2c7a55",
    "#b3383a",
    "#94700b",
)
"""Colours that a specification may name; each follows the page's light or dark dress."""

_VARIABLES = {INK: "ink", LINE: "line", ACCENT: "accent", SECOND: "second", GOOD: "good", BAD: "bad", WARN: "warn"}
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
_CONFIG: dict[str, Any] = {
    "background": None,
    "font": "sans-serif",
    "view": {"stroke": None},
    "mark": {"color": ACCENT},
    "line": {"strokeWidth": 2},
    "bar": {"color": ACCENT},
    "rule": {"color": INK},
    "text": {"color": INK},
    "range": {"category": [ACCENT, SECOND, GOOD, BAD, WARN, INK]},
    "axis": {
        "labelColor": INK,
        "titleColor": INK,
        "titleFontWeight": "normal",
        "gridColor": LINE,
        "domainColor": LINE,
        "tickColor": LINE,
        "labelFontSize": 11,
        "titleFontSize": 11,
        "labelFlush": False,
        "labelOverlap": "greedy",
        "labelSeparation": 6,
    },
    "axisX": {"grid": False},
    "legend": {"labelColor": INK, "titleColor": INK, "titleFontWeight": "normal", "orient": "top"},
    "title": {"color": INK, "fontSize": 13, "anchor": "start"},
    "header": {"labelColor": INK, "titleColor": INK},
}
_KEPT = 512


def svg(spec: dict[str, Any]) -> str:
    """The chart as SVG; its ``title`` or ``description`` is what a screen reader says. The same one is drawn once."""
    return _drawn(msgspec.json.encode(spec, order="sorted"))


@functools.lru_cache(maxsize=_KEPT)
def _drawn(encoded: bytes) -> str:
    import vl_convert

    spec = msgspec.json.decode(encoded)
    name = spec.get("description") or _text_of(spec.get("title"))
    drawn: str = vl_convert.vegalite_to_svg(spec, config=_merged(spec), allowed_base_urls=[])
    return _dressed(drawn, name)


def _merged(spec: dict[str, Any]) -> dict[str, Any]:
    """Our configuration, where the specification has none of its own."""
    own = spec.get("config", {})
    return {key: value for key, value in _CONFIG.items() if key not in own}


def _text_of(title: object) -> str:
    if isinstance(title, dict):
        title = title.get("text", "")
    return " ".join(title) if isinstance(title, list) else str(title or "Chart")


def _dressed(drawn: str, name: str) -> str:
    """Make it responsive and named, its colours follow the page; no inline style, which the page's policy bars."""
    head, rest = drawn.split(">", 1)
    view = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', head)
    width, height = view.groups() if view else ("400", "300")
    title = html.escape(name)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" role="img" '
        f'aria-label="{title}" viewBox="0 0 {width} {height}" width="{width}" height="{height}" class="drawn"'
    )
    rest = re.sub(r' style="[^"]*"', "", rest)
    rest = re.sub(r' (?:role="(?:graphics|img)[^"]*"|aria-[a-z]+="[^"]*")', "", rest)
    rest = rest.replace('font-family="sans-serif"', f'font-family="{_FONT}"')
    for colour, variable in _VARIABLES.items():
        rest = rest.replace(f'"{colour}"', f'"var(--chart-{variable}, {colour})"')
    return f"{head}><title>{title}</title>{rest}"
