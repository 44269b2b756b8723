"""What can be said of the card's module without a browser: size, contrast, languages, what it never does."""

from __future__ import annotations

import base64
import gzip
import hashlib
import re

import pytest

from pilotage.web import embedding

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


def test_both_languages_have_every_message() -> None:
    tables = re.findall(r"\n  (en|de): \{(.*?)\n  \},", SOURCE, re.S)
    keys = {language: set(re.findall(r"(\w+): \"", text)) for language, text in tables}

    assert keys["en"] == keys["de"] and len(keys["en"]) > 30


@pytest.mark.parametrize(
    "never", ["innerHTML", "outerHTML", "insertAdjacentHTML", "eval(", "document.cookie", ".style.", "import("]
)
def test_the_module_never(never: str) -> None:
    assert never not in SOURCE
