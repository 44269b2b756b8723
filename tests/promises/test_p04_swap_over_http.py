"""Promise 4, with everything between: two served workers, boosted trees, releases and roll-backs by another process."""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from collections.abc import Collection, Iterator
from typing import Any

import lightgbm
import msgspec
import numpy as np
import pyarrow as pa
import pytest

from pilotage.decisions import store as ledger
from pilotage.decisions.records import Decision
from pilotage.govern.records import SYSTEM
from pilotage.models import artefacts
from pilotage.models import flow as modelling
from pilotage.models.families.boosted.form import FILE as TREES
from pilotage.models.inputs import Encoder
from pilotage.models.rules.calibrating import ProbabilityCurve
from pilotage.platform.workspace import Workspace
from pilotage.releases import flow as releasing
from pilotage.releases import store as releases
from pilotage.releases.records import Live, Stage, Version
from pilotage.usecase.records import Definition
from tests.living import NAME, measured_as_trained, signed_version
from tests.promises.asking import ask_many
from tests.promises.installation import BODY, PATH, Small, installed, running
from tests.promises.table import Promise
from tests.web.serving import wait_until

MANY = 100_000
THINGS = 9
"""Sizes from 0 on: each has an answer of its own from each version."""
CONNECTIONS, WORKERS = 16, 2
LOOK_SECONDS, PATIENCE_SECONDS = 0.1, 60.0
AT_ONCE = 500
DRAINED_LAST = 2_000
"""What was answered last is in the ledger last: a worker's decisions reach it in their order."""
DEPTHS = {11: 3, 12: 5}
"""Leaves of the trees, by the version's number."""
CURVES = {11: (0.1, 0.6), 12: (0.3, 0.9)}
Said = tuple[str, float | None, bool]


def boosted(work: Workspace, definition: Definition, number: int) -> Version:
    """A signed version whose trees are LightGBM's: the probability follows the size, up in one, down in the other."""
    made = signed_version(work, definition, number)
    manifest, files = artefacts.load(work, made.artefact, made.signature)
    sizes = np.repeat(np.arange(THINGS, dtype=float), 40)
    table = pa.table({"size": sizes, "colour": ["red", "blue"] * (len(sizes) // 2)})
    encoder = Encoder.fitted(definition.plan.columns, table)
    slots = lightgbm.Dataset(encoder.table(table).slots, sizes if number % 2 else -sizes)
    parameters = {"objective": "regression", "num_leaves": DEPTHS[number], "num_threads": 1, "verbosity": -1}
    trees = lightgbm.train(parameters, slots, 40)
    low, high = CURVES[number]
    kept = {name: files[name] for name in ("plan.json", "reference.json")} | {
        "encoder.json": encoder.encoded(),
        "calibration.json": msgspec.json.encode(ProbabilityCurve("platt", (-9.0, 9.0), (low, high))),
        TREES: trees.model_to_string().encode(),
    }
    changed: dict[str, Any] = {"candidate": "boosted", "family": "boosted", "files": artefacts.keep_files(work, kept)}
    digest = artefacts.keep_manifest(work, msgspec.structs.replace(manifest, **changed))
    values = {"candidate": "boosted", "artefact": digest, "signature": artefacts.sign(work, digest)}
    version = msgspec.structs.replace(made, **values)
    own = releases.versions.c.id == made.id
    with work.database.writing() as connection:
        connection.execute(releases.versions.update().where(own).values(values))
    measured_as_trained(work, definition, version)
    return version


def answers_of(work: Workspace, version: Version) -> dict[int, Said]:
    """What a version alone says of each size, asked here."""
    scorer = modelling.load_artefact(work, version.artefact, version.signature)
    found: dict[int, Said] = {}
    for size in range(THINGS):
        said = scorer.predict({"size": float(size), "colour": None})
        found[size] = ("model", said.score, bool(said.answer))
    return found


class Swapping:
    """Releases the second version, lets it answer, and rolls back to the first, as often as there is time."""

    def __init__(self, here: Small, second: Version) -> None:
        self.releases = self.roll_backs = 0
        self.failed: Exception | None = None
        self._here, self._second = here, second
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Swapping:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        work = self._here.work
        try:
            while not self._over.is_set():
                self._answered(releasing.release(work, self._here.definition, self._second, SYSTEM, "swap"))
                self._answered(releasing.set_stage(work, NAME, Stage.ASSIST, 1.0, SYSTEM, "go"))
                self.releases += 1
                self._answered(releasing.roll_back(work, NAME, SYSTEM, "back"))
                self.roll_backs += 1
        except Exception as error:  # noqa: BLE001  raised again by the test
            self.failed = error

    def _answered(self, live: Live) -> None:
        """Somebody was answered by what is live now, or the asking is over."""
        wait_until(lambda: self._over.wait(LOOK_SECONDS) or self._newest_revision() == live.revision, PATIENCE_SECONDS)

    def _newest_revision(self) -> int:
        with self._here.work.database.reading() as connection:
            return max((each.revision for each in ledger.recent(connection, NAME, 1)), default=0)

    def questions(self, least: int) -> Iterator[dict[str, Any]]:
        """So many at least, and until every change was answered by once."""
        for number in itertools.count():
            if number >= least and (self.roll_backs or self.failed):
                return
            yield {**BODY, "thing": f"t{number}", "size": number % THINGS}


@pytest.mark.long
def test_over_http_none_fails_and_each_is_what_one_version_says(
    work: Workspace, monkeypatch: pytest.MonkeyPatch, promise: Promise
) -> None:
    here = installed(work, monkeypatch)
    versions = {number: boosted(work, here.definition, number) for number in DEPTHS}
    says = {version.id: answers_of(work, version) for version in versions.values()}
    first, second = versions.values()
    assert not {*says[first.id].values()} & {*says[second.id].values()}, "no answer could be of either"
    releasing.release(work, here.definition, first, SYSTEM, "trees")
    releasing.set_stage(work, NAME, Stage.ASSIST, 1.0, SYSTEM, "go")
    with running(here, WORKERS) as served:
        with Swapping(here, second) as swapping:
            replies = ask_many(served.port, served.headers, PATH, swapping.questions(MANY), CONNECTIONS)
        if swapping.failed is not None:
            raise swapping.failed
        answered = [each.json for each in replies if each.status == 200]
        newest = {each["id"] for each in answered[-DRAINED_LAST:]}
        wait_until(lambda: newest <= {*kept(work, newest)})
    failed = len(replies) - len(answered)
    mixed, said = judged(kept(work, [each["id"] for each in answered]), answered, says)
    assert {*says} <= {*said}, f"both versions answered: {said}"
    changes = f"{swapping.releases:,} releases, {swapping.roll_backs:,} roll-backs"
    figure = f"{failed} failed, {mixed} of two versions, {changes}"
    promise(4, what="over HTTP", figure=figure, n=len(replies), passed=failed == mixed == 0)


def kept(work: Workspace, ids: Collection[str]) -> dict[str, Decision]:
    """Those of the decisions that are in the ledger."""
    named, found = list(ids), dict[str, Decision]()
    with work.database.reading() as connection:
        for start in range(0, len(named), AT_ONCE):
            found |= {each.id: each for each in ledger.find_all(connection, named[start : start + AT_ONCE])}
    return found


def judged(
    recorded: dict[str, Decision], answered: list[dict[str, Any]], says: dict[str, dict[int, Said]]
) -> tuple[int, Counter[str]]:
    """How many replies are not what the version says that they are recorded with, and answers by version.

    In shadow, between a release and its stage, the rule's answer is given, and what the version said is on record.
    """
    mixed, said = 0, Counter[str]()
    for reply in answered:
        decision = recorded[reply["id"]]
        size = int(decision.inputs["size"])
        version = says.get(decision.version or "", {}).get(size)
        on_record = ("model", decision.probability, bool(decision.model_answer))
        shown = (reply["produced_by"], reply.get("probability"), reply["positive"])
        wanted = ("rule", None, size > 5) if reply["reason"] == "shadow" else version
        is_whole = on_record == version and shown == wanted
        mixed += not is_whole
        said[str(decision.version) if is_whole and reply["reason"] == "model" else reply["reason"]] += 1
    return mixed, said
