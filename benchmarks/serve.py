"""One question at a time over HTTP: what an answer costs, ours and others', with the same trees of LightGBM.

    python -m benchmarks.serve [--quick] [--only NAME ...]

300 trees of 31 leaves over 46 columns of late flights; a JSON body per request, hundreds of flights in turn. The
server has one core to itself, wrk the other; where two workers answer, they have both, and wrk shares one. Rounds are
interleaved, each server is started anew in each, and of each figure the median counts; what stands in no ratio is
measured in the first round only. CPU is that of all the server's processes, from the first request until it is quiet
again: what is put off is paid for, too.

All are sent the same 46 columns with their request. Ours is a real installation (``serve_home.py``): key, permission,
rate limit, contract, score, calibration, policy, record made durable, brought into the ledger and vouched for in the
audit log; others (``serve_peers.py``) record nothing. In shadow ours makes no signals, in assist it gives them with
each answer: that is "without" and "with". Only what no installation offers is the same server with a part taken out
(``serve_ours.py``). "Live columns" is another use case of the same flights: the app sends what it knows of a flight,
and 40 of the 46 columns are looked up and counted for each answer.

The last line is one JSON object of ratios of CPU per request with 32 connections, all of ours with durable record.
``ours_cpu_us`` is without signals. ``--quick`` takes one short round of a few servers; what was not measured is null.
A server of others that cannot be installed, or does not start, or does not answer, stands in the table with why.
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
from benchmarks.serve_home import GIVEN, LIVE, Home
from benchmarks.serve_load import (
    BOTH_CORES,
    SERVER_CORE,
    Asked,
    Cost,
    Failed,
    demand_wrk,
    free_port,
    measured,
    running,
    warm,
)
from benchmarks.serve_peers import PEERS, Peer
from pilotage.releases.records import Stage

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
    stage: Stage = Stage.SHADOW
    candidate: str = "boosted"
    use_case: str = GIVEN
    without: tuple[str, ...] = ()
    workers: int = 1
    keyed: bool = False
    log: str = "text"


_ALL, _SIGNALS = "the whole path with durable record", "the same, and signals with each answer"
OURS = (
    Ours("ours", _ALL),
    Ours("ours, signals", _SIGNALS, Stage.ASSIST),
    Ours("ours, pred_contrib", "the same, and signals by LightGBM", Stage.ASSIST, without=("fast_signals",)),
    Ours("ours additive", f"{_ALL}, an additive model", candidate="additive"),
    Ours("ours additive, signals", _SIGNALS, Stage.ASSIST, "additive"),
    Ours("ours, no record", "the whole path, nothing recorded", without=("record",)),
    Ours("ours, signals, no record", _SIGNALS, Stage.ASSIST, without=("record",)),
    Ours("ours, live columns", f"{_ALL}; 40 columns looked up", use_case=LIVE),
    Ours("ours, 2 workers", f"{_ALL}, both cores", workers=2),
    Ours("ours, keys", f"{_ALL}, each question with an idempotency key of its own", keyed=True),
    Ours("ours, JSON log", f"{_ALL}, a line in the access log for each", log="json"),
)
QUICK = ("hello", "fastapi dataframe", "ours", "ours, signals", "ours additive", "ours additive, signals")


@dataclasses.dataclass(frozen=True)
class Effort:
    """How much is measured: rounds, seconds each, connections of the first round."""

    rounds: int
    seconds: int
    connections: tuple[int, ...]

    def connections_of(self, number: int) -> tuple[int, ...]:
        """Later rounds only repeat what the ratios are made of."""
        return self.connections if number == 1 else (MAIN,)


FULL, SHORT = Effort(3, 3, CONNECTIONS), Effort(1, 2, (MAIN,))
_IN_RATIOS = frozenset(name for pair in RATIOS.values() for name in pair)


class Measuring:
    """All that was measured so far; ``left_out`` says of servers why they were not."""

    def __init__(self, home: Home, effort: Effort) -> None:
        self.home, self.effort = home, effort
        self.costs: dict[tuple[str, int], list[Cost]] = defaultdict(list)
        self.left_out: dict[str, str] = {}
        self._pythons: dict[str, Path] = {}

    def install(self, wanted: Sequence[str]) -> None:
        """The environments of the others."""
        for one in PEERS:
            if one.name in wanted:
                try:
                    self._pythons[one.name] = serve_peers.installed(one)
                except Failed as error:
                    self._leave_out(one.name, error)

    def round(self, number: int, wanted: Sequence[str]) -> None:
        """Each server once, in turn."""
        for one in (*PEERS, *OURS):
            if one.name not in wanted or one.name in self.left_out or (number > 1 and one.name not in _IN_RATIOS):
                continue
            print(f"Round {number} of {self.effort.rounds}: {one.name} …", flush=True)
            connections = self.effort.connections_of(number)
            if isinstance(one, Ours):
                self._ask_ours(one, connections)
                continue
            try:
                self._ask_peer(one, connections)
            except Failed as error:
                self._leave_out(one.name, error)

    def versions(self) -> list[str]:
        """The packages that others ran with."""
        packages = [each for one in PEERS if one.name in self._pythons for each in one.packages if "==" in each]
        return list(dict.fromkeys(packages))

    def _leave_out(self, name: str, error: Failed) -> None:
        self.left_out[name] = str(error).splitlines()[0]
        print(f"{name} is left out: {error}", flush=True)

    def _ask_peer(self, one: Peer, connections: Sequence[int]) -> None:
        plain, tensors = serve_peers.bodies(self.home)
        port = free_port()
        command, environment = serve_peers.command(one, self._pythons[one.name], self.home, port)
        asked = Asked(one.path, tensors if one.packages is serve_peers.MLSERVER else plain)
        log = self.home.folder / f"{one.name.replace(' ', '-')}.log"
        with running(command, port, log, environment, one.ready) as process:
            self._ask(one.name, process, port, asked, connections)

    def _ask_ours(self, one: Ours, connections: Sequence[int]) -> None:
        """On a copy of the installation, so that every round finds the same ledger."""
        copy = self.home.copied_to(self.home.folder.with_name("serve-asked"))
        serve_home.put_live(copy, one.use_case, one.candidate, one.stage)
        environment = {"PILOTAGE_HOME": str(copy.folder / "pilotage"), "PILOTAGE_SYNC_SECONDS": "3600"}
        environment |= {"PILOTAGE_LOG_FORMAT": one.log}
        port = free_port()
        program = ["benchmarks.serve_ours", ",".join(one.without)] if one.without else ["pilotage"]
        command = [sys.executable, "-m", *program, "serve", "--port", str(port), "--workers", str(one.workers)]
        authorization = {"Authorization": f"Bearer {self.home.key}"}
        asked = Asked(
            f"/v1/use-cases/{one.use_case}/decisions", self.home.questions(one.use_case), authorization, one.keyed
        )
        log = self.home.folder / "ours.log"
        cores = BOTH_CORES if one.workers > 1 else SERVER_CORE
        with running(command, port, log, environment, "/log-in", cores) as process:
            self._ask(one.name, process, port, asked, connections)
        shutil.rmtree(copy.folder)

    def _ask(self, name: str, process: int, port: int, asked: Asked, connections: Sequence[int]) -> None:
        warm(process, port, asked, self.effort.seconds)
        for number in connections:
            self.costs[name, number].append(measured(process, port, asked, number, self.effort.seconds))


def main() -> None:
    """Measure, print the table, and the ratios as the last line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--quick", action="store_true", help="one short round of a few servers")
    parser.add_argument("--only", nargs="+", choices=[one.name for one in (*PEERS, *OURS)], help="these servers alone")
    given = parser.parse_args()
    wanted = given.only or (QUICK if given.quick else [one.name for one in (*PEERS, *OURS)])
    demand_wrk()
    measuring = Measuring(serve_home.made(), SHORT if given.quick else FULL)
    try:
        measuring.install(wanted)
        for number in range(1, measuring.effort.rounds + 1):
            measuring.round(number, wanted)
    except Failed as error:
        raise SystemExit(str(error)) from None
    medians = {key: median(found) for key, found in measuring.costs.items()}
    print(f"\n{platform.platform()}, Python {platform.python_version()}, {', '.join(measuring.versions())}")
    print("\n".join(table(medians, measuring.effort.connections, measuring.left_out)))
    print(json.dumps(ratios({name: one.cpu_us for (name, connections), one in medians.items() if connections == MAIN})))


def median(found: Sequence[Cost]) -> Cost:
    """Of each figure the median."""
    return Cost(*(statistics.median(figures) for figures in zip(*map(dataclasses.astuple, found), strict=True)))


def table(
    medians: Mapping[tuple[str, int], Cost], connections: Sequence[int], left_out: Mapping[str, str]
) -> list[str]:
    """A line per server: CPU µs per request with each number of connections, and what callers saw with them."""
    seen = "".join(f"{f'{number}: CPU µs':>14}{'req/s':>8}{'p50 ms':>9}{'p99 ms':>9}" for number in connections)
    lines = [f"{'server':<26}{seen}  does"]
    does = {one.name: one.does for one in (*PEERS, *OURS)}
    for name in does:
        if name in left_out:
            lines.append(f"{name:<26}{'left out':>8}  {left_out[name]}")
        elif (name, MAIN) in medians:
            cells = [medians[name, number] for number in connections]
            figures = "".join(
                f"{one.cpu_us:>14,.0f}{one.per_second:>8,.0f}{one.p50_ms:>9.2f}{one.p99_ms:>9.2f}" for one in cells
            )
            lines.append(f"{name:<26}{figures}  {does[name]}")
    return lines


def ratios(cpu_us: Mapping[str, float]) -> dict[str, float | None]:
    """What is compared, by name; None where one of both was not measured."""
    found: dict[str, float | None] = {"ours_cpu_us": round(cpu_us["ours"], 1) if "ours" in cpu_us else None}
    for name, (above, below) in RATIOS.items():
        there = above in cpu_us and below in cpu_us
        found[name] = round(cpu_us[above] / cpu_us[below], 2) if there else None
    return found


if __name__ == "__main__":
    main()
