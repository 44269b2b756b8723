"""From a kept artefact to what is tested: the model brought to life, and rows that it has not learnt from."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from pilotage.data.flow import training_rows
from pilotage.data.flow.replaying import find_training_set
from pilotage.models import artefacts, flow
from pilotage.models.flow import COMPARISON
from pilotage.models.records import CandidateName, Comparison
from pilotage.models.scoring import Scorer
from pilotage.models.suite.subject import Subject, deciding
from pilotage.platform.errors import EvidenceMissing, NotFound
from pilotage.platform.workspace import Workspace
from pilotage.usecase import flow as usecase
from pilotage.usecase.records import Definition

if TYPE_CHECKING:
    import pyarrow as pa

HELD_OUT_MAX = 2_000
LEARNT_MAX = 20_000
CELLS_MAX = 1_000_000
"""Rows × columns of what is asked: of very wide rows there are fewer."""


class Artefact(msgspec.Struct, frozen=True):
    """Which kept model is meant: the digest of its manifest, the signature over it, and where it was compared."""

    candidate: CandidateName
    digest: str
    signature: str
    comparison: str


def candidate_of(work: Workspace, definition: Definition, name: str = "") -> Artefact:
    """A candidate of the newest comparison; without a name the recommended one, else the best model.

    Raises:
        EvidenceMissing: nothing was trained yet, or no model came of it.
        NotFound: no such candidate was trained there.
    """
    comparison = flow.latest_comparison(work, definition.name)
    if comparison is None or not comparison.artefacts:
        raise EvidenceMissing(f"{definition.name} has no model yet.", f"Run pilotage train {definition.name} first.")
    wanted = (comparison.recommended, comparison.sliced or "", comparison.best)
    chosen = name or next((one for one in wanted if one in comparison.artefacts), min(comparison.artefacts))
    if chosen not in comparison.artefacts:
        trained = ", ".join(sorted(comparison.artefacts))
        raise NotFound(f"There is no model {chosen} in the newest comparison.", f"Trained there: {trained}.")
    digest = comparison.artefacts[chosen]
    return Artefact(chosen, digest, flow.sign_artefact(work, digest), comparison.id)


def prepare(work: Workspace, definition: Definition, artefact: Artefact) -> Subject:
    """The model and its rows.

    Raises:
        CorruptArtefact: the artefact is not what was signed.
        EvidenceMissing: its comparison or its training set is gone, or the file's columns are others by now.
    """
    comparison = comparison_of(work, definition.name, artefact.comparison)
    scorer = flow.load_artefact(work, artefact.digest, artefact.signature)
    if not scorer.fits(definition):
        raise _other_columns(definition, artefact)
    learnt, held_out = parted(_known_rows(work, artefact), comparison)
    if not learnt.num_rows or not held_out.num_rows:
        raise EvidenceMissing(
            f"There is no row that {artefact.candidate} has not learnt from.",
            f"Run pilotage build {definition.name}, then pilotage train {definition.name}.",
        )
    slices = comparison.slices if comparison.sliced == artefact.candidate else None
    return subject_of(definition, scorer, learnt, held_out, slices)


def subject_of(
    definition: Definition,
    scorer: Scorer,
    learnt: pa.Table,
    held_out: pa.Table,
    slices: tuple[Any, ...] | None = None,
) -> Subject:
    """A model and rows of a training set, drawn evenly from all of them."""
    names = list(definition.plan.names)
    most = min(HELD_OUT_MAX, max(50, CELLS_MAX // max(len(names), 1)))
    return Subject(
        definition=definition,
        model=scorer,
        held_out=_evenly(held_out, most).select(names),
        learnt=_evenly(learnt, LEARNT_MAX).select([*names, "label"]),
        decide=deciding(definition, scorer.kind, scorer.manifest.threshold or 0.0),
        single=lambda values: scorer.predict(values).score,
        slices=slices,
        tolerance=scorer.tolerance,
    )


def comparison_of(work: Workspace, use_case: str, identifier: str) -> Comparison:
    """A comparison that was kept.

    Raises:
        EvidenceMissing: there is none of this identifier any more.
    """
    for evidence in usecase.evidence_history(work, use_case, COMPARISON):
        if evidence.body["id"] == identifier:
            return msgspec.convert(evidence.body, Comparison)
    raise EvidenceMissing(
        f"The comparison {identifier} that this model came of is not kept any more.",
        f"Run pilotage train {use_case}, then release and test what comes of it.",
    )


def parted(rows: pa.Table, comparison: Comparison) -> tuple[pa.Table, pa.Table]:
    """The rows that taught, and those that judged, without entities that taught or calibrated.

    ``rows`` are those of the training set that the comparison was made on. Where it has ``judged``, those that the file
    of then set apart judge (``decision.judged``; of the others some calibrated), else those of the newest time.
    """
    import pyarrow.compute as pc

    if "judged" in rows.column_names:
        judged = pc.fill_null(rows["judged"], False)
        taught = pc.invert(judged)
    else:
        moments = rows["moment"]
        taught = pc.less(moments, _at(comparison.train_to, moments.type))
        judged = pc.greater_equal(moments, _at(comparison.calibrate_to, moments.type))
    known = rows["entity"].filter(pc.invert(judged))
    unknown = pc.invert(pc.is_in(rows["entity"], value_set=known.combine_chunks()))
    return rows.filter(taught), rows.filter(pc.and_(judged, unknown))


def held_out_rows(work: Workspace, definition: Definition, artefact: Artefact) -> pa.Table:
    """Rows that the artefact has not learnt from, drawn evenly: the plan's columns and ``label``.

    Raises:
        EvidenceMissing: its comparison or its training set is gone, or the file's columns are others by now.
    """
    comparison = comparison_of(work, definition.name, artefact.comparison)
    rows = _known_rows(work, artefact)
    wanted = [*definition.plan.names, "label"]
    if not set(wanted) <= set(rows.column_names):
        raise _other_columns(definition, artefact)
    return _evenly(parted(rows, comparison)[1], HELD_OUT_MAX).select(wanted)


def _known_rows(work: Workspace, artefact: Artefact) -> pa.Table:
    """The rows with an outcome of the training set that the artefact was made from: not those of a later one."""
    manifest = artefacts.read_manifest(work, artefact.digest)
    training_set = find_training_set(work, manifest.training_set)
    try:
        rows = None if training_set is None else training_rows(work, training_set)
    except FileNotFoundError:
        rows = None
    if rows is None:
        raise EvidenceMissing(
            f"The training set {manifest.training_set} that {artefact.candidate} was trained on is gone: which rows it "
            "has not learnt from cannot be told.",
            f"Restore a backup, or run pilotage build {manifest.use_case} and pilotage train {manifest.use_case}.",
        )
    return rows.filter(rows["label"].is_valid())


def _other_columns(definition: Definition, artefact: Artefact) -> EvidenceMissing:
    return EvidenceMissing(
        f"{artefact.candidate} was trained for an earlier text of {definition.name}: its columns differ.",
        f"Run pilotage build {definition.name} and pilotage train {definition.name}, then test again.",
    )


def _at(instant: datetime, kind: pa.DataType) -> pa.Scalar:
    import pyarrow as pa

    given = instant if kind.tz else instant.replace(tzinfo=None)
    return pa.scalar(given, pa.timestamp("us", kind.tz)).cast(kind)


def _evenly(table: pa.Table, most: int) -> pa.Table:
    if table.num_rows <= most:
        return table
    return table.take(np.unique(np.linspace(0, table.num_rows - 1, most).astype(np.intp)))
