"""Reference pages say what the records say: no key is missing, none is told that is not there."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import msgspec
import pytest

from pilotage.usecase.records import Source
from tests.docs.reference import FOLDER, pages


@pytest.mark.parametrize("place", pages(), ids=lambda path: path.name)
def test_a_reference_page_is_the_one_that_the_records_give(place: Path) -> None:
    assert place.read_text(encoding="utf-8") == pages()[place], "run: python -m tests.docs.reference"


def test_the_page_of_sources_names_only_keys_that_a_source_has() -> None:
    text = (FOLDER / "sources.md").read_text(encoding="utf-8")
    known = {field.encode_name for field in msgspec.structs.fields(Source)}
    named = set(re.findall(r"^\| `([a-z_]+)` \|", text, re.MULTILINE))
    assert named <= known
    assert {"late", "deleted", "deletions", "refresh", "timeout", "rows_max", "accept_writer"} <= named


def test_the_page_of_sources_names_the_limits_that_the_code_has() -> None:
    text = (FOLDER / "sources.md").read_text(encoding="utf-8")
    limits = {
        "files.encodings": "LINE_BYTES_MAX",
        "files.kinds": "COLUMNS_MAX",
        "files.excel": "BYTES_MAX",
        "answering": "PAGE_BYTES_MAX",
    }
    for module, name in limits.items():
        limit = getattr(import_module(f"pilotage.data.sources.{module}"), name)
        assert f"{limit:,}" in text, f"{module}.{name} is {limit:,}"
