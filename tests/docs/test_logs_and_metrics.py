"""The page of logs and metrics says what the program writes and counts."""

from __future__ import annotations

import re
from pathlib import Path

from litestar import Litestar
from litestar.testing import TestClient

from pilotage.platform.access import Line
from pilotage.platform.workspace import Workspace
from pilotage.web.console import build_console

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "reference" / "logs-and-metrics.md").read_text()


def test_the_page_lists_exactly_the_metrics_that_are_served(work: Workspace) -> None:
    console: Litestar = build_console(work)
    with TestClient(console) as client:
        served = client.get("/metrics").text
    kinds = dict(re.findall(r"^# TYPE (pilotage_\w+) (\w+)$", served, re.MULTILINE))
    helps = dict(re.findall(r"^# HELP (pilotage_\w+) (.+)$", served, re.MULTILINE))
    said = {
        (name, kind, means)
        for name, kind, means in re.findall(r"^\| `(pilotage_\w+)` \| (\w+) \|.*?\| (.+) \|$", PAGE, re.M)
    }
    ours = {(name.removesuffix("_total"), kind, helps[name]) for name, kind in kinds.items() if not _is_second(name)}
    assert said == ours


def _is_second(name: str) -> bool:
    """Counters and histograms come with the instant at which they began."""
    return name.endswith("_created")


def test_the_page_names_every_field_of_a_request() -> None:
    table = PAGE.split("### A request")[1].split("### Events")[0]
    rows = [row.split("|")[1] for row in table.splitlines() if row.startswith("| `")]
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} == {*Line.__struct_fields__}
