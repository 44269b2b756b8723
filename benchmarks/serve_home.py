"""The installation that ``serve.py`` asks: late flights with 46 columns, two signed versions, a key, real questions.

Everything is made by the product's own flows: sources synced, training set built, models trained and proved, versions
released after past rows were asked through the live path. Made once per size and kept in ``.cache/benchmarks``.
"""

from __future__ import annotations

import dataclasses
import importlib
import os
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from benchmarks.audit import ARCHIVE
from benchmarks.processes import CACHE
from pilotage.data import flow as data
from pilotage.data.records import TrainingSet
from pilotage.decisions.contract import Contract
from pilotage.govern import flow as governing
from pilotage.govern.records import SYSTEM, Grant, Role
from pilotage.models import artefacts
from pilotage.models.families import family
from pilotage.models.flow.task import Task, task_of
from pilotage.models.flow.training import Outcome, teach
from pilotage.platform.identifiers import new_id
from pilotage.platform.settings import Settings
from pilotage.platform.workspace import Workspace, open_workspace
from pilotage.releases import flow as releasing
from pilotage.releases import store as releases
from pilotage.releases.records import Stage, Version
from pilotage.rollout import flow as rollout
from pilotage.usecase import flow as defining
from pilotage.usecase.records import Definition

COLUMNS, TREES, LEAVES, BODIES = 46, 300, 31, 500
NAME = "flights_late_arrival"
_EXAMPLE = Path(__file__).parents[1] / "examples" / "flights" / "late_arrival.yaml"
_WINDOWS = """\
  leaving: {windows: departures, by: [origin, carrier], take: dep_delay, over: [2 hours, 6 hours, 1 day]}
  arriving: {windows: arrivals, by: [carrier, destination], take: arr_delay, over: [3 hours, 1 day, 7 days, 30 days]}
  late: {windows: arrivals, by: [origin, destination], aggregate: share, where: arr_delay > 30, \
over: [3 hours, 1 day, 7 days, 30 days]}
  landed: {windows: arrivals, by: [carrier, origin, destination], aggregate: count, over: [3 hours, 1 day]}
  worst: {windows: arrivals, by: [carrier, origin, destination], take: arr_delay, aggregate: max, over: [1 day, 7 days]}
"""
_SETTINGS = {"boosted": {"trees": TREES, "leaves": LEAVES}, "additive": {}}


@dataclasses.dataclass(frozen=True)
class Home:
    """An installation that is ready: its folder, its key, questions as an app sends them and as a bare server does."""

    folder: Path
    key: str

    @property
    def model(self) -> Path:
        """The trees, as LightGBM's text."""
        return self.folder / "model.txt"

    @property
    def encoder(self) -> Path:
        """The columns in their order, with the levels of categories: ``[["carrier", ["UA", …]], ["temp", null]]``."""
        return self.folder / "columns.json"

    @property
    def bodies(self) -> list[bytes]:
        """Questions of an app: what is known of a flight that will leave."""
        return (self.folder / "bodies.jsonl").read_bytes().splitlines()

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The same flights with all columns of the model, which other servers have to be given."""
        return [msgspec.json.decode(line) for line in (self.folder / "rows.jsonl").read_bytes().splitlines()]

    def copied_to(self, folder: Path) -> Home:
        """The same installation elsewhere; what was there is removed."""
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.folder / "pilotage", folder / "pilotage")
        return Home(folder, self.key)


def made(months: int) -> Home:
    """The installation over the year's first months; made when it is not there yet."""
    folder = (CACHE / f"serve-{months}").absolute()
    os.environ["FLIGHTS_DATA"] = str(folder / "data")
    if not (folder / "key").exists():
        shutil.rmtree(folder, ignore_errors=True)
        _make(folder, months)
    return Home(folder, (folder / "key").read_text())


def opened(home: Home) -> Workspace:
    """The workspace of the installation."""
    return open_workspace(Settings(home=home.folder / "pilotage"))


def put_live(home: Home, candidate: str) -> None:
    """Make this candidate's version the live one, in stage assist with a share of all."""
    work = opened(home)
    version = next(one for one in releasing.versions(work, NAME) if one.candidate == candidate)
    definition = defining.find(work, NAME)
    if releasing.live(work, NAME).version != version.id:
        rollout.release(work, definition, version, SYSTEM, "benchmark")
    releasing.set_stage(work, NAME, Stage.ASSIST, 1.0, SYSTEM, "benchmark")
    work.close()


def _make(folder: Path, months: int) -> None:
    print(f"Making the installation in {folder.relative_to(Path.cwd())}, of {months} months of flights …", flush=True)
    if not ARCHIVE.exists():
        subprocess.run(["make", "--silent", str(ARCHIVE)], check=True)
    importlib.import_module("examples.flights.prepare").prepare(ARCHIVE, folder / "data", 12 // months)
    file = folder / "late_arrival.yaml"
    file.write_text(_use_case(_EXAMPLE.read_text()))
    definition = defining.read_definition(file)
    if len(definition.plan.columns) != COLUMNS:
        raise SystemExit(f"The use case must have {COLUMNS} columns (got {len(definition.plan.columns)}).")
    work = open_workspace(Settings(home=folder / "pilotage"))
    data.adopt_and_sync(work, definition, SYSTEM, str(file))
    built = data.build(work, definition)
    print(f"  {built.labelled:,} flights with {COLUMNS} columns", flush=True)
    task = task_of(definition, built, data.training_rows(work, built))
    for number, name in enumerate(_SETTINGS, 1):
        version = _version(work, definition, built, number, name, _trained(work, task, name))
        rollout.release(work, definition, version, SYSTEM, "benchmark")
        print(f"  {name}: trained, proved, released after past rows were asked through the live path", flush=True)
    _write_questions(folder, work, definition)
    key = governing.make_key(work, SYSTEM, "app", (Grant(Role.APP, NAME),))
    work.close()
    (folder / "key").write_text(key)


def _use_case(text: str) -> str:
    """The example's file with more windows over the same sources."""
    kept = [line for line in text.splitlines(keepends=True) if "{windows:" not in line]
    at = next(number for number, line in enumerate(kept) if line.startswith("rule:"))
    return "".join([*kept[: at - 1], _WINDOWS, "\n", *kept[at:]])


def _trained(work: Workspace, task: Task, name: str) -> Outcome:
    candidate = family(name)
    if candidate is None:
        raise SystemExit(f"There is no family {name}.")
    outcome = teach(work, task, candidate, _SETTINGS[name])
    if outcome.measured is None:
        raise SystemExit(f"{name}: {outcome.refused}")
    return outcome


def _version(
    work: Workspace, definition: Definition, built: TrainingSet, number: int, name: str, outcome: Outcome
) -> Version:
    version = Version(
        id=new_id("ver", work.clock.now()),
        use_case=definition.name,
        number=number,
        candidate=name,
        artefact=outcome.digest,
        signature=artefacts.sign(work, outcome.digest),
        comparison="",
        training_set=built.id,
        made_at=work.clock.now(),
        made_by=SYSTEM.name,
    )
    with work.database.writing() as connection:
        releases.insert_version(connection, version)
    return version


def _write_questions(folder: Path, work: Workspace, definition: Definition) -> None:
    """Flights of the newest days that are known, as an app would ask of them, and with all columns of the model."""
    contract = Contract(definition.plan)
    since = max(one.known_to for one in data.current_snapshots(work, definition).values() if one.known_to)
    columns = data.open_live(work, definition, since - timedelta(days=2))
    names = [definition.plan.entity, *definition.plan.request]
    with duckdb.connect() as engine:
        engine.execute("SET TimeZone = 'UTC'")
        newest = engine.execute(
            f"SELECT {', '.join(names)} FROM read_parquet('{folder}/data/flights.parquet') "
            f"ORDER BY departs_at DESC, flight_id LIMIT {BODIES}"
        ).fetchall()
    bodies, rows = [], []
    for found in newest:
        asked = dict(zip(names, found, strict=True))
        asked["departs_at"] = f"{asked['departs_at']:%Y-%m-%dT%H:%M:%SZ}"
        bodies.append(msgspec.json.encode(asked))
        entity, request = contract.decode(bodies[-1])
        moment = request["departs_at"] - timedelta(minutes=60)
        rows.append(msgspec.json.encode(columns.assemble({definition.plan.entity: entity, **request}, moment)))
    (folder / "bodies.jsonl").write_bytes(b"\n".join(bodies))
    (folder / "rows.jsonl").write_bytes(b"\n".join(rows))
    version = next(one for one in releasing.versions(work, NAME) if one.candidate == "boosted")
    _, files = artefacts.load(work, version.artefact, version.signature)
    (folder / "model.txt").write_bytes(files["model.txt"])
    inputs = msgspec.json.decode(files["encoder.json"])
    (folder / "columns.json").write_bytes(msgspec.json.encode([(one["name"], one.get("levels")) for one in inputs]))
