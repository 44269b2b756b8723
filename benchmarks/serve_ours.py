"""Our server with a part taken out, to see what that part costs: ``python -m benchmarks.serve_ours PARTS serve …``

Everything else is as ``pilotage serve`` has it. PARTS are names of :data:`PARTS` with commas between them. No
installation offers this: a decision that is not recorded is not a decision.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

from pilotage import app
from pilotage.cli.main import main as pilotage
from pilotage.decisions.durable.recording import Recording
from pilotage.models.families.boosted.form import TreesModel
from pilotage.web import commands

_VARIABLE = "BENCHMARK_WITHOUT"


async def _not_kept(self: Recording, content: bytes, left: float, must_settle: bool) -> None:
    """As if it had been made durable at once."""


def _by_lightgbm(self: TreesModel) -> bool:
    return False


PARTS: dict[str, tuple[type, str, Callable[..., Any]]] = {
    "record": (Recording, "keep", _not_kept),
    "fast_signals": (TreesModel, "make_signals", _by_lightgbm),
}
"""By name where it is, and what stands there instead."""


def create() -> app.Application:
    """The application of the installation, less these parts: what each worker starts."""
    for name in os.environ[_VARIABLE].split(","):
        owner, method, instead = PARTS[name]
        if not hasattr(owner, method):
            raise SystemExit(f"{owner.__name__} has no {method} any more: tell {__name__} where it is.")
        setattr(owner, method, instead)
    return app.create()


def main() -> None:
    """The product's own command, which starts :func:`create` instead of its application."""
    os.environ[_VARIABLE] = sys.argv.pop(1)
    commands.APPLICATION = f"{__spec__.name}:create"
    pilotage()


if __name__ == "__main__":
    main()
