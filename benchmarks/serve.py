"""One question at a time over HTTP: what an answer costs, ours and others', with the same trees of LightGBM.

    python -m benchmarks.serve [--quick] [--only NAME ...]

300 trees of 31 leaves over 46 columns of late flights; a JSON body per request, hundreds of flights in turn. The
server has one core to itself, wrk the other; where two workers answer, they have both, and wrk shares one. Rounds are
interleaved, each server is started anew in each, and of each figure the median counts. CPU is that of all the server's
processes, from the first request until it is quiet again: what is put off is paid for, too.

Ours is a real installation (``serve_home.py``) in stage assist: key, permission, contract, 46 columns assembled from
what an app knows of a flight, score, calibration, policy, record made durable, brought into the ledger and vouched for
in the audit log. Others are handed all 46 columns, and record nothing (``serve_peers.py``). ``pilotage serve`` as it is
gives signals with each answer; what is without signals or record is the same server less that (``serve_ours.py``).

The last line is one JSON object of ratios of CPU per request with 32 connections, all of ours with durable record.
``ours_cpu_us`` is without signals. ``--quick`` takes one short round of a few servers; what was not measured is null.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import platform
import shutil
import statistics
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks import serve_home, serve_peers
from benchmarks.serve_home import NAME, Home
from benchmarks.serve_load import BOTH_CORES, SERVER_CORE, Asked, Cost, demand_wrk, free_port, measured, running, warm
from benchmarks.serve_peers import PEERS, Peer

CONNECTIONS = (1, 8, 32)
MAIN = 32
RATIOS = {
    "ours_over_floor": ("ours", "hello"),
    "mlserver_over_ours": ("mlserver", "ours"),
    "mlserver_inline_over_ours": ("mlserver inline", "ours"),
    "bentoml_over_ours": ("bentoml", "ours"),
    "fastapi_dataframe_over_ours": ("fastapi dataframe", "ours"),
    "signals_additive_over_ours": ("ours additive, signals", "ours additive"),
    "pred_contrib_over_signals": ("ours, pred_contrib", "ours, signals"),
}
"""By name which server's CPU per request over which one's."""


@dataclasses.dataclass(frozen=True)
class Ours:
    """One way in which our server is asked."""

    name: str
    does: str
    candidate: str = "boosted"
    without: tuple[str, ...] = ("signals",)
    workers: int = 1


OURS = (
    Ours("ours", "the whole path, no signals"),
    Ours("ours, signals", "the whole path, as pilotage serve is", without=()),
    Ours("ours, pred_contrib", "the whole path, signals by LightGBM", without=("fast_signals",)),
    Ours("ours additive", "an additive model, no signals", "additive"),
    Ours("ours additive, signals", "an additive model, as pilotage serve is", "additive", without=()),
    Ours("ours, no record", "no signals, nothing recorded", without=("signals", "record")),
    Ours("ours, signals, no record", "nothing recorded", without=("record",)),
    Ours("ours, 2 workers", "the whole path, no signals, both cores", workers=2),
)
QUICK = ("hello", "fastapi dataframe", "ours", "ours, signals", "ours additive", "ours additive, signals")


@dataclasses.dataclass(frozen=True)
class Effort:
    """How much is measured: rounds, seconds each, connections, months of flights that the models learn from."""

    rounds: int
    seconds: int
    connections: tuple[int, ...]
    months: int


FULL, SHORT = Effort(3, 4, CONNECTIONS, 3), Effort(1, 1, (MAIN,), 1)
Costs = dict[tuple[str, int], list[Cost]]


def main() -> None:
    """Measure, print the table, and the ratios as the last line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--quick", action="store_true", help="one short round of a few servers")
    parser.add_argument("--only", nargs="+", choices=[one.name for one in (*PEERS, *OURS)], help="these servers alone")
    given = parser.parse_args()
    effort = SHORT if given.quick else FULL
    wanted = given.only or (QUICK if given.quick else [one.name for one in (*PEERS, *OURS)])
    demand_wrk()
    home = serve_home.made(effort.months)
    pythons = {one.name: serve_peers.installed(one) for one in PEERS if one.name in wanted}
    costs: Costs = defaultdict(list)
    for number in range(1, effort.rounds + 1):
        for peer in PEERS:
            python = pythons.get(peer.name)
            if python is not None:
                _say(number, effort, peer.name)
                _ask_peer(peer, python, home, effort, costs)
        for ours in OURS:
            if ours.name in wanted:
                _say(number, effort, ours.name)
                _ask_ours(ours, home, effort, costs)
    medians = {key: median(found) for key, found in costs.items()}
    print(f"\n{platform.platform()}, Python {platform.python_version()}, {', '.join(_versions(pythons))}")
    print("\n".join(table(medians, effort.connections)))
    print(json.dumps(ratios({name: one.cpu_us for (name, connections), one in medians.items() if connections == MAIN})))


def median(found: Sequence[Cost]) -> Cost:
    """Of each figure the median."""
    return Cost(*(statistics.median(figures) for figures in zip(*map(dataclasses.astuple, found), strict=True)))


def table(medians: Mapping[tuple[str, int], Cost], connections: Sequence[int]) -> list[str]:
    """A line per server: CPU µs per request with most connections, and what callers saw with each number of them."""
    seen = "".join(f"{f'{number}: req/s':>14}{'p50 ms':>9}{'p99 ms':>9}" for number in connections)
    lines = [f"{'server':<26}{'CPU µs':>8}{seen}  does"]
    does = {one.name: one.does for one in (*PEERS, *OURS)}
    for name in dict.fromkeys(name for name, _ in medians):
        cells = [medians[name, number] for number in connections]
        figures = "".join(f"{one.per_second:>14,.0f}{one.p50_ms:>9.2f}{one.p99_ms:>9.2f}" for one in cells)
        lines.append(f"{name:<26}{cells[-1].cpu_us:>8,.0f}{figures}  {does[name]}")
    return lines


def ratios(cpu_us: Mapping[str, float]) -> dict[str, float | None]:
    """What is compared, by name; None where one of both was not measured."""
    found: dict[str, float | None] = {"ours_cpu_us": round(cpu_us["ours"], 1) if "ours" in cpu_us else None}
    for name, (above, below) in RATIOS.items():
        there = above in cpu_us and below in cpu_us
        found[name] = round(cpu_us[above] / cpu_us[below], 2) if there else None
    return found


def _ask_peer(one: Peer, python: Path, home: Home, effort: Effort, costs: Costs) -> None:
    plain, tensors = serve_peers.bodies(home)
    port = free_port()
    command, environment = serve_peers.command(one, python, home, port)
    asked = Asked(one.path, tensors if one.packages is serve_peers.MLSERVER else plain)
    log = home.folder / f"{one.name.replace(' ', '-')}.log"
    with running(command, port, log, environment, one.ready) as process:
        _ask(one.name, process, port, asked, effort, costs)


def _ask_ours(one: Ours, home: Home, effort: Effort, costs: Costs) -> None:
    """On a copy of the installation, so that every round finds the same ledger."""
    copy = home.copied_to(home.folder.with_name("serve-asked"))
    serve_home.put_live(copy, one.candidate)
    environment = {"PILOTAGE_HOME": str(copy.folder / "pilotage"), "PILOTAGE_SYNC_SECONDS": "3600"}
    port = free_port()
    program = ["benchmarks.serve_ours", ",".join(one.without)] if one.without else ["pilotage"]
    command = [sys.executable, "-m", *program, "serve", "--port", str(port), "--workers", str(one.workers)]
    asked = Asked(
        f"/v1/use-cases/{NAME}/decisions", home.folder / "bodies.jsonl", {"Authorization": f"Bearer {home.key}"}
    )
    log = home.folder / "ours.log"
    cores = BOTH_CORES if one.workers > 1 else SERVER_CORE
    with running(command, port, log, environment, "/log-in", cores) as process:
        _ask(one.name, process, port, asked, effort, costs)
    shutil.rmtree(copy.folder)


def _ask(name: str, process: int, port: int, asked: Asked, effort: Effort, costs: Costs) -> None:
    warm(process, port, asked, effort.seconds)
    for connections in effort.connections:
        costs[name, connections].append(measured(process, port, asked, connections, effort.seconds))


def _say(number: int, effort: Effort, name: str) -> None:
    print(f"Round {number} of {effort.rounds}: {name} …", flush=True)


def _versions(pythons: Mapping[str, Path | None]) -> list[str]:
    packages = [package for one in PEERS if pythons.get(one.name) for package in one.packages if "==" in package]
    return list(dict.fromkeys(packages))


if __name__ == "__main__":
    main()
