"""Where a log-in may lead."""

from __future__ import annotations

import pytest

from pilotage.govern.rules.addresses import local_path


@pytest.mark.parametrize("path", ["/", "/people", "/use-cases/late_arrival/audit?tab=2", "/queue/cases/cas_1#note"])
def test_our_own_pages_are_kept(path: str) -> None:
    assert local_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        None,
        "",
        "people",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "https://evil.example",
        "javascript:alert(1)",
        "/\t/evil.example",
        "/\n/evil.example",
        "/people\r\nSet-Cookie: x=1",
        " /people",
    ],
)
def test_everything_else_leads_to_the_front_page(path: str | None) -> None:
    assert local_path(path) == "/"
