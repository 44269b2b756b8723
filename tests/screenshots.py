"""Pictures of every page and of the card, light, dark and on a phone, and what is wrong with each by axe-core.

python -m tests.screenshots --to DIR [--home HOME]

Without a home the demo's story is lived first, on real flights, and kept in ``.cache/screenshots``.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Iterator
from itertools import chain, product
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from playwright.sync_api import Browser, Page

from pilotage.platform.settings import Settings
from pilotage.platform.workspace import Workspace, open_workspace
from pilotage.web.console import build_console
from tests.browser import launch
from tests.embed.hosting import Host, serving
from tests.embed.test_accessible import STATES
from tests.every_page import DESK, PHONE, addresses, faults, visited
from tests.review import arranging
from tests.review.serving import app_key

LOOKS: dict[str, dict[str, Any]] = {
    "light": {"viewport": DESK, "color_scheme": "light"},
    "dark": {"viewport": DESK, "color_scheme": "dark"},
    "phone": {"viewport": PHONE, "color_scheme": "light", "device_scale_factor": 2},
    "dark-phone": {"viewport": PHONE, "color_scheme": "dark", "device_scale_factor": 2},
}
CASE, HELD, CARD = "/queue/cases/{case_id}", "/queue/cases/held", "/card"
_CACHE = Path(__file__).parents[1] / ".cache" / "screenshots"


def main() -> int:
    """Take the pictures; 1 where a page has a fault."""
    parser = argparse.ArgumentParser(prog="python -m tests.screenshots", description=__doc__)
    parser.add_argument("--to", type=Path, required=True, help="the folder for the pictures")
    parser.add_argument("--home", type=Path, help="an installation; a copy of it is looked at")
    parser.add_argument("--only", default="", help="only routes that contain this")
    chosen = parser.parse_args()
    chosen.to.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(copy := chosen.to / ".home", ignore_errors=True)
    shutil.copytree(chosen.home or lived(), copy)
    work = open_workspace(Settings(home=copy))
    with launch() as browser:
        shown = chain(pages(work, browser, chosen.only), cards(chosen.to / ".card", browser, chosen.only))
        wrong = sum(_taken(page, route, look, chosen.to) for route, look, page in shown)
    work.close()
    shutil.rmtree(copy)
    print(f"{len(list(chosen.to.glob('*.png')))} pictures in {chosen.to}, {wrong} faults")
    return int(wrong > 0)


def pages(work: Workspace, browser: Browser, only: str) -> Iterator[tuple[str, str, Page]]:
    """Every page of the console in every look, and a case that one holds, with the form for the verdict."""
    for name, look in LOOKS.items():
        with visited(work, browser, **look) as opened:
            for route, address in addresses(work, build_console(work)).items():
                if only in route:
                    yield route, name, opened(route, address)
            with work.database.reading() as connection:
                case = connection.execute(sa.text("SELECT id FROM review_cases WHERE state = 'open'")).scalar()
            if case and only in HELD:
                page = opened(CASE, CASE.format(case_id=case))
                page.get_by_role("button", name="Take this case").click()
                page.locator("#verdict-form").wait_for()
                yield HELD, name, page
                page.get_by_role("button", name="Give it back").click()


def cards(home: Path, browser: Browser, only: str) -> Iterator[tuple[str, str, Page]]:
    """The card on another app's page, in each of its states, light and dark; in shadow the page without it."""
    shutil.rmtree(home, ignore_errors=True)
    work = open_workspace(Settings(home=home))
    arranging.adopt(work)
    arranging.go_live(work)
    with serving(build_console(work)) as server:
        host = Host(server, app_key(work))
        with serving(host.app()) as host.origin:
            for state, name in product(STATES, ("light", "dark")):
                if only in (route := f"{CARD}/{state}"):
                    entity = f"{state}-{name}"
                    arranging.recorded(work, entity=entity, **STATES[state])
                    context = browser.new_context(**{**LOOKS[name], "viewport": PHONE})
                    page = context.new_page()
                    page.goto(host.address(entity, scheme=LOOKS[name]["color_scheme"], more="action-button"))
                    page.wait_for_load_state("networkidle")
                    yield route, name, page
                    context.close()
    work.close()
    shutil.rmtree(home)


def _taken(page: Page, route: str, look: str, folder: Path) -> int:
    """Take the picture, say what is wrong with the page, and how often."""
    page.screenshot(path=folder / f"{_file(route)}-{look}.png", full_page=True)
    found = faults(page)
    for fault in found:
        print(f"{look} {route}: {fault}", flush=True)
    return len(found)


def lived() -> Path:
    """The home of an installation that lived the demo's story."""
    from examples.demo import __main__ as demo
    from examples.demo.plan import quick

    plan = quick(_CACHE)
    if not (plan.home / "ready").exists():
        demo.live(plan, again=True, stay=False, browser=False)
    return plan.home / "pilotage"


def _file(route: str) -> str:
    words = [part.strip("{}") for part in route.split("/") if part and part != "use-cases"]
    return "-".join(words) or "use-cases"


if __name__ == "__main__":
    sys.exit(main())
