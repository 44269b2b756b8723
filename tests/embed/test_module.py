"""What can be said of the card's module without a browser: size, contrast, languages, what it never does."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re

import msgspec
import pytest
from litestar.testing import TestClient

from pilotage.platform.workspace import Workspace
from pilotage.review.languages import LANGUAGES, IncompleteLanguage, read
from pilotage.web import embedding
from pilotage.web.console import build_console

SOURCE = embedding.module().decode()
PAIRS = {
    name: (light, dark)
    for name, light, dark in re.findall(r"--([\w-]+): var\([^;]*?light-dark\((#\w+), (#\w+)\)\)", SOURCE)
}


def luminance(colour: str) -> float:
    digits = colour.lstrip("#")
    digits = "".join(2 * digit for digit in digits) if len(digits) == 3 else digits
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(first: str, second: str) -> float:
    """WCAG 2.2 contrast ratio."""
    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


def test_the_module_is_small() -> None:
    assert len(gzip.compress(embedding.module())) <= 15_000


def test_its_integrity_is_the_hash_of_its_bytes() -> None:
    digest = base64.b64encode(hashlib.sha384(embedding.module()).digest()).decode()
    tag = embedding.script_tag("https://pilotage.example/")

    assert embedding.integrity() == f"sha384-{digest}"
    assert f'src="https://pilotage.example/embed/pilotage-card.js?v={embedding.version()}"' in tag
    assert f'integrity="sha384-{digest}"' in tag


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("ground", ["surface", "raised"])
@pytest.mark.parametrize("ink", ["text", "muted", "accent", "good", "warn", "bad"])
def test_every_text_colour_can_be_read_on_every_ground(ink: str, ground: str, scheme: int) -> None:
    assert contrast(PAIRS[ink][scheme], PAIRS[ground][scheme]) >= 4.5


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_the_main_button_can_be_read(scheme: int) -> None:
    assert contrast(PAIRS["on-accent"][scheme], PAIRS["accent"][scheme]) >= 4.5


def test_the_module_speaks_every_language_that_has_a_file() -> None:
    served = re.search(r"const MESSAGES = (\{.*?\}\});\n", SOURCE)

    assert served and json.loads(served[1]).keys() == LANGUAGES.keys() == {"de", "en"}
    assert len(LANGUAGES["de"].card) > 30 and len(LANGUAGES["de"].sentences) > 25


def test_a_third_language_is_one_file_that_is_held_against_english() -> None:
    english = msgspec.json.encode(LANGUAGES["en"])
    french = msgspec.json.encode(msgspec.structs.replace(LANGUAGES["en"], name="Français"))

    assert read({"en": english, "fr": french})["fr"].name == "Français"

    lacking = msgspec.json.decode(french)
    del lacking["card"]["send"]
    lacking["sentences"]["few"] = "{count} fois"
    lacking["card"]["extra"] = "?"
    with pytest.raises(IncompleteLanguage) as refused:
        read({"en": english, "fr": msgspec.json.encode(lacking)})
    said = str(refused.value)
    assert "languages/fr.json: 'send' is missing; 'extra' is not asked for" in said
    assert "'few' may only have the blanks ['says']" in said


@pytest.mark.parametrize(
    "never", ["innerHTML", "outerHTML", "insertAdjacentHTML", "eval(", "document.cookie", ".style.", "import("]
)
def test_the_module_never(never: str) -> None:
    assert never not in SOURCE


def test_the_tag_is_to_be_had_with_version_and_integrity(work: Workspace) -> None:
    with TestClient(build_console(work)) as client:
        said = client.get("/embed/pilotage-card.json").json()
        served = client.get(re.findall(r'src="http://[^/]+(.*?)"', said["tag"])[0])

    assert said == {
        "version": embedding.version(),
        "integrity": embedding.integrity(),
        "tag": embedding.script_tag(work.settings.address),
    }
    assert "immutable" in served.headers["cache-control"]
    assert served.content == embedding.module()
