"""Opens a Chromium for tests: the one that CHROMIUM names, Debian's, or playwright's own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

DEBIAN = Path("/usr/bin/chromium")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@contextmanager
def launch() -> Iterator[Browser]:
    """A headless browser, closed at the end."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


def executable() -> str | None:
    """The Chromium to start; None leaves it to playwright."""
    return os.environ.get("CHROMIUM") or (str(DEBIAN) if DEBIAN.exists() else None)
