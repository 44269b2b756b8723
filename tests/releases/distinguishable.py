"""Versions that cannot be taken for one another: each says one probability, and has a threshold of its own."""

from __future__ import annotations

from typing import Any

import msgspec
from tests.decisions.test_service import FILE as SMALL
from tests.living import NAME, measured_as_trained, signed_version

from pilotage.govern.records import SYSTEM
from pilotage.models import artefacts
from pilotage.models.golden import GOLDEN, Golden
from pilotage.models.rules.calibrating import ProbabilityCurve
from pilotage.platform.workspace import Workspace
from pilotage.releases import store as releases
from pilotage.releases.records import Stage, Version
from pilotage.usecase.flow import adopt, parse_definition
from pilotage.usecase.records import Definition

FILE = SMALL.replace("use_case: small", f"use_case: {NAME}").replace("latency_ms: 50", "latency_ms: 5000")
SAYS = {1: (0.3, 0.25), 2: (0.6, 0.9)}
"""Probability and threshold by number: the first says yes, the second no. Parts of both would say the contrary."""


def adopted(work: Workspace) -> Definition:
    return adopt(work, parse_definition(FILE, "small.yaml"), SYSTEM)


def version_saying(work: Workspace, definition: Definition, number: int, golden_off_by: float = 0.0) -> Version:
    """A signed version with golden vectors, measured as in training; they may be those of another environment."""
    probability, threshold = SAYS.get(number, (0.5, 0.5))
    made = signed_version(work, definition, number)
    manifest, files = artefacts.load(work, made.artefact, made.signature)
    files["calibration.json"] = msgspec.json.encode(ProbabilityCurve("platt", (-1.0, 1.0), (probability, probability)))
    answers = (probability >= threshold,)
    then = {"python": "3.1.4", "numpy": "1.0.0"} if golden_off_by else {}
    files[GOLDEN] = msgspec.json.encode(Golden((), ((),), ((probability + golden_off_by,),), answers, then))
    changed: dict[str, Any] = {"files": artefacts.keep_files(work, files), "threshold": threshold}
    changed |= {"uncertain_low": threshold, "uncertain_high": threshold}
    digest = artefacts.keep_manifest(work, msgspec.structs.replace(manifest, **changed))
    signature = artefacts.sign(work, digest)
    version = msgspec.structs.replace(made, artefact=digest, signature=signature)
    table = releases.versions
    with work.database.writing() as connection:
        connection.execute(table.update().where(table.c.id == made.id).values(artefact=digest, signature=signature))
    measured_as_trained(work, definition, version)
    return version


def release_directly(work: Workspace, version: Version) -> None:
    """What is live, as another host with another environment has released it: it passed its checks there."""
    from pilotage.releases import flow

    live = flow.live(work, NAME)
    with work.database.writing() as connection:
        releases.insert_live(
            connection,
            msgspec.structs.replace(
                live,
                version=version.id,
                previous_version=live.version,
                stage=Stage.SHADOW if live.stage in (Stage.ASSIST, Stage.AUTOMATE) else live.stage,
                share=0.0,
                revision=live.revision + 1,
            ),
        )
