"""The installation that ``serve.py`` asks: late flights with 46 columns, signed versions, a key, real questions.

There are two use cases of the same flights and columns. Of ``GIVEN`` the app sends all 46 columns, as other servers
have to be sent them; of ``LIVE`` it sends what it knows of a flight, and 40 columns are looked up and counted for each
answer. Everything is made by the product's own flows: sources synced, training sets built, models trained and proved,
versions released after past rows were asked through the live path. Made once per state of the code and kept in
``.cache/benchmarks``.
"""

from __future__ import annotations

import dataclasses
import hashlib
import importlib
import os
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pyarrow.parquet as pq

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

COLUMNS, TREES, LEAVES, BODIES, MONTHS = 46, 300, 31, 500, 1
GIVEN, LIVE = "flights_late_given", "flights_late_arrival"
_ROOT = Path(__file__).parents[1]
_EXAMPLE = _ROOT / "examples" / "flights" / "late_arrival.yaml"
_WINDOWS = """\
  leaving: {windows: departures, by: [origin, carrier], take: dep_delay, over: [2 hours, 6 hours, 1 day]}
  arriving: {windows: arrivals, by: [carrier, destination], take: arr_delay, over: [3 hours, 1 day, 7 days, 30 days]}
  late: {windows: arrivals, by: [origin, destination], aggregate: share, where: arr_delay > 30, \
over: [3 hours, 1 day, 7 days, 30 days]}
  landed: {windows: arrivals, by: [carrier, origin, destination], aggregate: count, over: [3 hours, 1 day]}
  worst: {windows: arrivals, by: [carrier, origin, destination], take: arr_delay, aggregate: max, over: [1 day, 7 days]}
"""
_ASKED = "  asked: {files: env:FLIGHTS_DATA/asked.parquet, key: [flight_id], event_time: asked_at, known_at: asked_at}"
_SETTINGS = {"boosted": {"trees": TREES, "leaves": LEAVES}, "additive": {}}
_CANDIDATES = {LIVE: ("boosted",), GIVEN: ("boosted", "additive")}


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

    def questions(self, use_case: str) -> Path:
        """What an app asks of this use case, a line each."""
        return self.folder / f"{use_case}.jsonl"

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The same flights with the columns of the model and nothing else, which other servers are given."""
        return [msgspec.json.decode(line) for line in (self.folder / "rows.jsonl").read_bytes().splitlines()]

    def copied_to(self, folder: Path) -> Home:
        """The same installation elsewhere; what was there is removed."""
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.folder / "pilotage", folder / "pilotage")
        return Home(folder, self.key)


def made() -> Home:
    """The installation, made when this state of the code has none yet; those of other states are removed."""
    folder = (CACHE / f"serve-{_code_digest()}").absolute()
    os.environ["FLIGHTS_DATA"] = str(folder / "data")
    if not (folder / "key").exists():
        for stale in CACHE.glob("serve-*"):
            shutil.rmtree(stale)
        _make(folder)
    return Home(folder, (folder / "key").read_text())


def _code_digest() -> str:
    """Of all that makes an installation: the product with its schema, this module, the example and who prepares it."""
    files = [*(_ROOT / "src").rglob("*.py"), Path(__file__), *_EXAMPLE.parent.iterdir()]
    digest = hashlib.sha256()
    for file in sorted(file for file in files if file.is_file()):
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:12]


def opened(home: Home) -> Workspace:
    """The workspace of the installation."""
    return open_workspace(Settings(home=home.folder / "pilotage"))


def put_live(home: Home, use_case: str, candidate: str, stage: Stage) -> None:
    """Make this candidate's version the live one, in this stage with a share of all."""
    work = opened(home)
    version = _version_of(work, use_case, candidate)
    definition = defining.find(work, use_case)
    if releasing.live(work, use_case).version != version.id:
        rollout.release(work, definition, version, SYSTEM, "benchmark")
    releasing.set_stage(work, use_case, stage, 1.0, SYSTEM, "benchmark")
    work.close()


def _version_of(work: Workspace, use_case: str, candidate: str) -> Version:
    return next(one for one in releasing.versions(work, use_case) if one.candidate == candidate)


def _make(folder: Path) -> None:
    print(f"Making the installation in {folder.relative_to(Path.cwd())} …", flush=True)
    if not ARCHIVE.exists():
        subprocess.run(["make", "--silent", str(ARCHIVE)], check=True)
    importlib.import_module("examples.flights.prepare").prepare(ARCHIVE, folder / "data", 12 // MONTHS)
    work = open_workspace(Settings(home=folder / "pilotage"))
    live, built = _adopted(work, folder, LIVE, _live(_EXAMPLE.read_text()))
    table = data.training_rows(work, built).rename_columns({"entity": "flight_id", "moment": "asked_at"})
    pq.write_table(table.drop_columns(["rule", "label"]), folder / "data" / "asked.parquet")
    given, of_given = _adopted(work, folder, GIVEN, _given(_EXAMPLE.read_text(), live))
    for definition, rows in ((live, built), (given, of_given)):
        _teach(work, definition, rows)
    _write_questions(folder, work, live, given)
    key = governing.make_key(work, SYSTEM, "app", (Grant(Role.APP, LIVE), Grant(Role.APP, GIVEN)))
    work.close()
    (folder / "key").write_text(key)


def _adopted(work: Workspace, folder: Path, name: str, text: str) -> tuple[Definition, TrainingSet]:
    file = folder / f"{name}.yaml"
    file.write_text(text)
    definition = defining.read_definition(file)
    if len(definition.plan.columns) != COLUMNS:
        raise SystemExit(f"The use case must have {COLUMNS} columns (got {len(definition.plan.columns)}).")
    data.adopt_and_sync(work, definition, SYSTEM, str(file))
    built = data.build(work, definition)
    print(f"  {name}: {built.labelled:,} flights with {COLUMNS} columns", flush=True)
    return definition, built


def _teach(work: Workspace, definition: Definition, built: TrainingSet) -> None:
    task = task_of(definition, built, data.training_rows(work, built))
    for number, name in enumerate(_CANDIDATES[definition.name], 1):
        version = signed_version(work, definition, built, number, name, _trained(work, task, name))
        rollout.release(work, definition, version, SYSTEM, "benchmark")
        print(f"  {name}: trained, proved, released after past rows were asked through the live path", flush=True)


def _live(text: str) -> str:
    """The example's file with more windows over the same sources."""
    kept = [line for line in text.splitlines(keepends=True) if "{windows:" not in line]
    at = next(number for number, line in enumerate(kept) if line.startswith("rule:"))
    return "".join([*kept[: at - 1], _WINDOWS, "\n", *kept[at:]])


def _given(text: str, live: Definition) -> str:
    """The example's file with every column in the request."""
    kinds = {one.name: one.kind for one in live.plan.columns}
    fields = [f"    {name}: {{kind: {kind}, required: false}}" for name, kind in kinds.items()]
    decision = ["decision:", "  entity: flight_id", "  source: asked", "  request:", *fields]
    kept = {part.partition(":")[0].strip(): part for part in text.split("\n\n")}
    arrivals = next(line for line in kept["sources"].splitlines() if line.startswith("  arrivals:"))
    kept["sources"] = "\n".join(["sources:", _ASKED, arrivals])
    kept["decision"] = "\n".join(decision)
    kept["inputs"] = "\n".join(["inputs:", *(f"  {name}: request" for name in kinds)])
    return "\n\n".join(kept.values()).replace(f"use_case: {LIVE}", f"use_case: {GIVEN}")


def _trained(work: Workspace, task: Task, name: str) -> Outcome:
    candidate = family(name)
    if candidate is None:
        raise SystemExit(f"There is no family {name}.")
    outcome = teach(work, task, candidate, _SETTINGS[name])
    if outcome.measured is None:
        raise SystemExit(f"{name}: {outcome.refused}")
    return outcome


def signed_version(
    work: Workspace, definition: Definition, built: TrainingSet, number: int, name: str, outcome: Outcome
) -> Version:
    """A signed version of a candidate that was taught, among the releases, beside any comparison."""
    made = Version(
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
        releases.insert_version(connection, made)
    return made


def _write_questions(folder: Path, work: Workspace, live: Definition, given: Definition) -> None:
    """Flights of the newest days that are known: as an app asks of them, with all columns, and with nothing else."""
    contract = Contract(live.plan)
    since = max(one.known_to for one in data.current_snapshots(work, live).values() if one.known_to)
    columns = data.open_live(work, live, since - timedelta(days=2))
    names = [live.plan.entity, *live.plan.request]
    with duckdb.connect() as engine:
        engine.execute("SET TimeZone = 'UTC'")
        newest = engine.execute(
            f"SELECT {', '.join(names)} FROM read_parquet('{folder}/data/flights.parquet') "
            f"ORDER BY departs_at DESC, flight_id LIMIT {BODIES}"
        ).fetchall()
    asked: dict[str, list[bytes]] = {LIVE: [], GIVEN: [], "rows": []}
    for found in newest:
        question = dict(zip(names, found, strict=True))
        question["departs_at"] = f"{question['departs_at']:%Y-%m-%dT%H:%M:%SZ}"
        asked[LIVE].append(msgspec.json.encode(question))
        entity, request = contract.decode(asked[LIVE][-1])
        moment = request["departs_at"] - timedelta(minutes=60)
        row = columns.assemble({live.plan.entity: entity, **request}, moment)
        asked[GIVEN].append(msgspec.json.encode({given.plan.entity: entity, **row}))
        asked["rows"].append(msgspec.json.encode(row))
    for name, lines in asked.items():
        (folder / f"{name}.jsonl").write_bytes(b"\n".join(lines))
    version = _version_of(work, GIVEN, "boosted")
    _, files = artefacts.load(work, version.artefact, version.signature)
    (folder / "model.txt").write_bytes(files["model.txt"])
    inputs = msgspec.json.decode(files["encoder.json"])
    (folder / "columns.json").write_bytes(msgspec.json.encode([(one["name"], one.get("levels")) for one in inputs]))
