"""Every room's templates: they compile, and hold nothing that the pages' security policy bars."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pilotage.web import rendering

# The report is a file for paper and mail: it carries its own style, and is never shown inside the console.
ALONE = {"report.html"}
TEMPLATES = sorted(path for path in rendering.PACKAGE.glob("*/templates/**/*.html") if path.name not in ALONE)
BARRED = re.compile(r"""\sstyle\s*=|\son[a-z]+\s*=\s*["']|<style|javascript:|<script(?![^>]*\ssrc=)""")


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.stem)
def test_a_template_compiles_and_needs_no_inline_style_or_script(template: Path) -> None:
    room_folder = next(parent for parent in template.parents if parent.name == "templates")
    assert rendering.environment().get_template(template.relative_to(room_folder).as_posix())
    assert BARRED.findall(template.read_text()) == []


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.stem)
def test_every_form_that_changes_something_carries_the_token(template: Path) -> None:
    forms = re.findall(r"<form\b.*?</form>", template.read_text(), re.DOTALL)
    unprotected = [form[:80] for form in forms if 'method="post"' in form and "csrf_input" not in form]
    assert unprotected == []


def test_numbers_instants_and_money_are_written_as_people_read_them() -> None:
    at = datetime(2013, 12, 5, 20, 3, tzinfo=UTC)
    assert rendering.instant(at) == '<time datetime="2013-12-05T20:03:00.000000Z">5 Dec 2013, 20:03 UTC</time>'
    assert rendering.number(1234.5) == "1,234"
    assert rendering.number(-0.25, 2) == "−0.25"
    assert rendering.percent(0.123, 1) == "12.3\u202f%"
    assert rendering.money(-1240.4, "USD") == "−1,240\u202fUSD"
    assert [rendering.instant(None), rendering.number(None), rendering.percent(None), rendering.money(None, "USD")] == [
        "—"
    ] * 4
