"""What pages say in plain words: a sentence under every figure, and what a word of the glossary means."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

import pytest
from litestar.testing import TestClient

from pilotage.govern import flow as governing
from pilotage.govern.cookies import SESSION
from pilotage.govern.records import SYSTEM, Grant, Role
from pilotage.platform.workspace import Workspace
from pilotage.web.console import build_console
from pilotage.web.glossary import glossary
from tests.every_page import BEFORE_LOG_IN, addresses

DIALOG = re.compile(r"<dialog.*?</dialog>", re.DOTALL)
TITLE = re.compile(
    r'<(?:h[123]|th scope="col"|dt)\b[^>]*>(.*?)</(?:h[123]|th|dt)>'
    r'|<div class="figure[^"]*"><b>.*?</b><span>(.*?)</span>',
    re.DOTALL,
)
MEANT = re.compile(r'<span popover class="definition"[^>]*>.*?</span>', re.DOTALL)
OFFERED = re.compile(r'<span popover class="definition"[^>]*><b>(.*?)</b>')
FIGURE = re.compile(r'<div class="figure[^"]*">(.*?)</div>', re.DOTALL)
OTHERWISE_MEANT = {("/use-cases/{use_case}/brief", "target"), ("/queue/cases/{case_id}", "evidence")}
"""Titles that are words of the glossary by chance: what is predicted, what a case stands on."""


@pytest.fixture
def pages(filled: Workspace) -> Iterator[dict[str, str]]:
    """What stands in every page behind the log-in, by its route."""
    console = build_console(filled)
    password = governing.add_person(filled, SYSTEM, "anna", (Grant(Role.ADMIN),))
    with TestClient(console) as client:
        client.cookies.set(SESSION, governing.log_in(filled, "anna", password))
        found = {
            route: client.get(at).text
            for route, at in addresses(filled, console).items()
            if not BEFORE_LOG_IN.match(route)
        }
        yield {route: DIALOG.sub("", text[text.index("<main") :]) for route, text in found.items()}


def told(part: str) -> str:
    """A piece of a page as it is read."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", MEANT.sub("", part))).split())


def test_every_figure_says_in_a_sentence_what_it_is(pages: dict[str, str]) -> None:
    figures = [(route, each) for route, text in pages.items() for each in FIGURE.findall(text)]
    assert len(figures) > 15
    silent = [(route, told(each)) for route, each in figures if not re.search(r"<small>[^<]{5,}</small>", each)]
    assert silent == []


def test_a_title_that_is_a_word_of_the_glossary_says_on_a_click_what_it_means(pages: dict[str, str]) -> None:
    plural = {form: word for word in glossary() for form in (word, f"{word}s", f"{word}es")}
    silent = []
    for route, text in pages.items():
        offered = {html.unescape(word).lower() for word in OFFERED.findall(text)}
        titles = {told(heading or label).lower() for heading, label in TITLE.findall(text)}
        words = {plural[title] for title in titles if title in plural}
        silent += [(route, word) for word in words - offered if (route, word) not in OTHERWISE_MEANT]
    assert sorted(silent) == []
