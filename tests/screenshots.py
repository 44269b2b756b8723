"""Pictures of every page, light, dark and on a phone, and what is wrong with each by axe-core.

python -m tests.screenshots --to DIR [--home HOME]

Without a home the demo's story is lived first, on real flights, and kept in ``.cache/screenshots``.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path
from typing import Any

from pilotage.platform.settings import Settings
from pilotage.platform.workspace import open_workspace
from pilotage.web.console import build_console
from tests.browser import launch
from tests.every_page import DESK, PHONE, addresses, faults, visited

LOOKS: dict[str, dict[str, Any]] = {
    "light": {"viewport": DESK, "color_scheme": "light"},
    "dark": {"viewport": DESK, "color_scheme": "dark"},
    "phone": {"viewport": PHONE, "color_scheme": "light", "device_scale_factor": 2},
}
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
    work, wrong = open_workspace(Settings(home=copy)), 0
    with launch() as browser:
        for name, look in LOOKS.items():
            with visited(work, browser, **look) as opened:
                for route, address in addresses(work, build_console(work)).items():
                    if chosen.only in route:
                        page = opened(route, address)
                        page.screenshot(path=chosen.to / f"{_file(route)}-{name}.png", full_page=True)
                        for fault in faults(page):
                            wrong += 1
                            print(f"{name} {route}: {fault}", flush=True)
    work.close()
    shutil.rmtree(copy)
    print(f"{len(list(chosen.to.glob('*.png')))} pictures in {chosen.to}, {wrong} faults")
    return int(wrong > 0)


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
