"""Opens a Chromium for tests: the one that CHROMIUM names, Debian's, or playwright's own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, expect, sync_playwright

DEBIAN = Path("/usr/bin/chromium")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PATIENCE_MS = 30_000
"""How long a page may take to come to what a test expects of it: other tests have the same two cores."""


@contextmanager
def launch() -> Iterator[Browser]:
    """A headless browser, closed at the end."""
    with sync_playwright() as playwright:
        expect.set_options(timeout=PATIENCE_MS)
        browser = playwright.chromium.launch(executable_path=executable(), args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


def executable() -> str | None:
    """The Chromium to start; None leaves it to playwright."""
    return os.environ.get("CHROMIUM") or (str(DEBIAN) if DEBIAN.exists() else None)


def main() -> int:
    """Make sure that there is a Chromium: from Debian where we may install, else playwright's own."""
    if executable() is not None or _playwrights_own().exists():
        return 0
    print("No Chromium found: installing one for the browser tests.", flush=True)
    if os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run(["apt-get", "update", "-qq"], check=False)
        subprocess.run(["apt-get", "install", "-y", "-qq", "chromium"], check=False, stdout=subprocess.DEVNULL)
        if executable() is not None:
            return 0
    failed = subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False).returncode
    if failed:
        print("Install Chromium (apt-get install chromium), or name one in CHROMIUM, and run make test again.")
    return failed


def _playwrights_own() -> Path:
    with sync_playwright() as playwright:
        return Path(playwright.chromium.executable_path)


if __name__ == "__main__":
    sys.exit(main())
