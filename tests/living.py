"""A use case that lives: people who look at it in the console, versions, decisions, outcomes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime

import httpx
from litestar import Litestar
from litestar.testing import TestClient

from pilotage.govern import flow as governing
from pilotage.govern.cookies import SESSION
from pilotage.govern.records import SYSTEM, Grant, Role
from pilotage.models import artefacts
from pilotage.models.records import Manifest
from pilotage.outcomes import store as outcomes
from pilotage.outcomes.records import JoinedOutcome
from pilotage.platform.identifiers import new_id
from pilotage.platform.workspace import Workspace
from pilotage.releases import flow as releasing
from pilotage.releases import store as releases
from pilotage.releases.records import Live, Version
from pilotage.usecase.records import Definition
from pilotage.web.console import build_console
from tests.review.arranging import NAME

__all__ = ["NAME", "Visitor", "happened", "release", "signed_version", "visitor"]


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


def signed_version(work: Workspace, number: int) -> Version:
    """A version whose artefact is in the lake, signed; it has no files, so it cannot answer."""
    manifest = Manifest(
        format=artefacts.FORMAT,
        use_case=NAME,
        candidate="boosted",
        definition="",
        training_set="",
        training_set_fingerprint="",
        code="",
        libraries={},
        parameters={"number": str(number)},
        threshold=0.25,
        uncertain_low=0.22,
        uncertain_high=0.28,
        files={},
        made_at=work.clock.now(),
    )
    digest = artefacts.keep_manifest(work, manifest)
    version = Version(
        id=new_id("ver", work.clock.now()),
        use_case=NAME,
        number=number,
        candidate="boosted",
        artefact=digest,
        signature=artefacts.sign(work, digest),
        comparison="cmp_1",
        training_set="set_1",
        made_at=work.clock.now(),
        made_by="mara",
    )
    with work.database.writing() as connection:
        releases.insert_version(connection, version)
    return version


def release(work: Workspace, definition: Definition, number: int) -> Live:
    """Make a new version and release it."""
    return releasing.release(work, definition, signed_version(work, number), SYSTEM, f"number {number} is better")


def happened(work: Workspace, decision: str, positive: bool, known_at: datetime, revision: int = 1) -> None:
    """Say what really happened in a decided case."""
    outcome = JoinedOutcome(decision, NAME, "entity", positive, known_at, work.clock.now(), revision)
    with work.database.writing() as connection:
        outcomes.add(connection, [outcome])
