"""The three commands; each prints one plain sentence."""

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from .advance import advance
from .clock import require_clock
from .errors import DispatchError
from .load import load
from .manifest import Manifest
from .office import open_office
from .serve import serve
from .settings import Settings


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; a refusal goes to standard error and exits with 1."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options, Settings.from_environment())
    except DispatchError as refusal:
        print(refusal, file=sys.stderr)
        return 1
    return 0


def _load(options: argparse.Namespace, settings: Settings) -> None:
    wanted = Manifest(months=options.months, start=options.start)
    print(load(settings, wanted, options.data, options.again, lambda line: print(line, flush=True)))


def _advance(options: argparse.Namespace, settings: Settings) -> None:
    office = open_office(settings)
    clock = require_clock(office.engine)
    until = options.until or clock.now + timedelta(hours=options.hours)
    if until < clock.now:
        raise DispatchError(f"The clock already stands at {clock.now:%Y-%m-%d %H:%M} UTC and never goes back.")
    now = advance(office, until)
    ending = ", where this world ends" if now == clock.ends_at else ""
    print(f"The clock stands at {now:%Y-%m-%d %H:%M} UTC{ending}.")


def _serve(options: argparse.Namespace, settings: Settings) -> None:
    office = open_office(settings)
    print(f"The dispatch office is at http://{options.host}:{options.port}/; Ctrl-C closes it.", flush=True)
    serve(office, host=options.host, port=options.port, speed=options.speed)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="dispatch", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")

    loading = commands.add_parser("load", help="build the office as it stood at an instant")
    loading.add_argument("--months", type=_months, default=(1, 12), metavar="FIRST-LAST", help="default: 1-12")
    loading.add_argument("--start", type=_instant, required=True, metavar="UTC", help="2013-12-01T05:00")
    loading.add_argument("--data", type=Path, metavar="PATH", help="the flight archive (else DISPATCH_DATA)")
    loading.add_argument("--again", action="store_true", help="rebuild what is there")
    loading.set_defaults(run=_load)

    advancing = commands.add_parser("advance", help="move the clock forward")
    distance = advancing.add_mutually_exclusive_group(required=True)
    distance.add_argument("--hours", type=_positive)
    distance.add_argument("--until", type=_instant, metavar="UTC")
    advancing.set_defaults(run=_advance)

    serving = commands.add_parser("serve", help="serve the pages")
    serving.add_argument("--host", default="127.0.0.1")
    serving.add_argument("--port", type=int, default=8100)
    serving.add_argument("--speed", type=_positive, metavar="N", help="run the clock N times as fast as the wall's")
    serving.set_defaults(run=_serve)
    return parser


def _months(text: str) -> tuple[int, int]:
    first, _, last = text.partition("-")
    months = int(first), int(last or first)
    if not 1 <= months[0] <= months[1] <= 12:
        raise argparse.ArgumentTypeError(f"{text} is not a range of months such as 1-12")
    return months


def _instant(text: str) -> datetime:
    """A UTC instant; a written offset is honoured, none means UTC."""
    instant = datetime.fromisoformat(text)
    return instant.astimezone(UTC).replace(tzinfo=None) if instant.tzinfo else instant


def _positive(text: str) -> float:
    number = float(text)
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return number
