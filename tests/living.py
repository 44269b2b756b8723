"""A use case that lives: people who look at it in the console, versions, decisions, outcomes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime

import httpx
import msgspec
import pyarrow as pa
from litestar import Litestar
from litestar.testing import TestClient

from pilotage.decisions.records import Said
from pilotage.govern import flow as governing
from pilotage.govern.cookies import SESSION
from pilotage.govern.records import SYSTEM, Grant, Role
from pilotage.models import artefacts
from pilotage.models.families.additive.form import AdditiveModel, AdditiveSum, AdditiveTerm
from pilotage.models.inputs import Encoder
from pilotage.models.records import Manifest
from pilotage.models.rules.calibrating import ProbabilityCurve
from pilotage.models.rules.reference import Reference
from pilotage.outcomes import store as outcomes
from pilotage.outcomes.records import JoinedOutcome
from pilotage.platform.identifiers import new_id
from pilotage.platform.workspace import Workspace
from pilotage.releases import flow as releasing
from pilotage.releases import store as releases
from pilotage.releases.records import LIVE_PARITY, Live, LiveParity, Version
from pilotage.usecase import flow as defining
from pilotage.usecase.records import Definition, Plan
from pilotage.web.console import build_console
from tests.review.arranging import NAME

__all__ = ["NAME", "Visitor", "happened", "measured_as_trained", "release", "signed_version", "visitor"]


class Visitor:
    """Somebody who is logged in to the console."""

    def __init__(self, client: TestClient[Litestar]) -> None:
        self.client = client

    def get(self, path: str) -> httpx.Response:
        """Look at a page."""
        return self.client.get(path, follow_redirects=False)

    def post(self, path: str, form: Mapping[str, str]) -> httpx.Response:
        """Send a form as a page of ours would, with its CSRF token."""
        self.client.get("/log-in")
        token = self.client.cookies.get("pilotage_csrf") or ""
        return self.client.post(path, data={**form, "_csrf_token": token}, follow_redirects=False)


@contextmanager
def visitor(work: Workspace, role: Role, use_case: str = NAME) -> Iterator[Visitor]:
    """A person with this role, logged in."""
    name = f"{role.value} of {use_case.replace('*', 'everything')}"
    password = governing.add_person(work, SYSTEM, name, (Grant(role, use_case),))
    with TestClient(build_console(work)) as client:
        client.cookies.set(SESSION, governing.log_in(work, name, password))
        yield Visitor(client)


def signed_version(work: Workspace, definition: Definition, number: int, comparison: str = "cmp_1") -> Version:
    """A version whose artefact is in the lake, signed: a model that says the same of every row."""
    manifest = Manifest(
        format=artefacts.FORMAT,
        use_case=NAME,
        candidate="additive",
        family="additive",
        kind="flag",
        definition="",
        training_set="",
        training_set_fingerprint="",
        code="",
        libraries={},
        parameters={"number": str(number)},
        threshold=0.25,
        uncertain_low=0.22,
        uncertain_high=0.28,
        files=artefacts.keep_files(work, _indifferent(definition.plan)),
        made_at=work.clock.now(),
    )
    digest = artefacts.keep_manifest(work, manifest)
    version = Version(
        id=new_id("ver", work.clock.now()),
        use_case=NAME,
        number=number,
        candidate="additive",
        artefact=digest,
        signature=artefacts.sign(work, digest),
        comparison=comparison,
        training_set="set_1",
        made_at=work.clock.now(),
        made_by="mara",
    )
    with work.database.writing() as connection:
        releases.insert_version(connection, version)
    return version


def _indifferent(plan: Plan) -> dict[str, bytes]:
    """The files of an artefact whose every score is nought."""
    kinds = {"number": pa.float64(), "category": pa.string(), "datetime": pa.timestamp("us"), "flag": pa.bool_()}
    nothing = pa.table({column.name: pa.nulls(1, kinds[column.kind]) for column in plan.columns})
    encoder = Encoder.fitted(plan.columns, nothing)
    terms = tuple(AdditiveTerm((), (0.0,) * max(slot.codes, 2), slot.codes > 0, 0.0) for slot in encoder.slots)
    return {
        "plan.json": msgspec.json.encode(plan),
        "encoder.json": encoder.encoded(),
        **AdditiveModel((AdditiveSum(0.0, terms),)).files(),
        "calibration.json": msgspec.json.encode(ProbabilityCurve("platt", (-1.0, 1.0), (0.25, 0.75))),
        "reference.json": msgspec.json.encode(Reference(0, {}, (), (), (0.5,))),
    }


def release(work: Workspace, definition: Definition, number: int) -> Live:
    """Make a new version and release it."""
    version = signed_version(work, definition, number)
    measured_as_trained(work, definition, version)
    return releasing.release(work, definition, version, SYSTEM, f"number {number} is better")


def measured_as_trained(work: Workspace, definition: Definition, version: Version) -> None:
    """Say that past rows were asked through the live path, and came out as in training."""
    found = LiveParity(
        version=version.id,
        artefact=version.artefact,
        training_set=version.training_set,
        rows=20_000,
        asked=10_000,
        near=1_000,
        refused={},
        columns=len(definition.plan.columns),
        differing=(),
        score_difference_max=0.0,
        flips=0,
        flip=None,
        seconds=3.0,
    )
    defining.keep_evidence(work, definition, LIVE_PARITY, msgspec.to_builtins(found))


def happened(work: Workspace, decision: str, what: Said, known_at: datetime, revision: int = 1) -> None:
    """Say what really happened in a decided case."""
    outcome = JoinedOutcome(decision, NAME, "entity", what, known_at, work.clock.now(), revision)
    with work.database.writing() as connection:
        outcomes.add(connection, [outcome])
