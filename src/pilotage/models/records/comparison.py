"""All candidates on the same held-out time."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from pilotage.models.records.closer import Ablation, Band, Grouped, Learning, Search, Stability, Surest
from pilotage.models.records.figures import CandidateName, Difference, Measured, Slice, Trivial, Verdict
from pilotage.usecase.records import OutcomeKind


class Comparison(Struct, frozen=True):
    """All candidates on the same held-out time, and the one recommended.

    ``kind`` is that of the outcome, ``unit`` a number's, ``classes`` a category's. ``blockers`` are what the audit of
    the same file found that forbids trusting these figures; then the rule is kept. ``cautions`` are what it asks of
    columns that the rule reads, which may be judged by what it could not know, and outcomes that were known too late.
    ``recommended`` is the rule unless the verdict is pilot. ``refused`` says of candidates without figures why.
    ``slices`` are those of ``sliced``, the recommended or best model, worst against the rule first;
    ``slices_left_out`` had too few rows, positive outcomes or days. ``judged_by`` says what is resampled for the
    intervals. What follows the slices is of the same model, and ``searches`` of every candidate whose settings were
    looked for. ``left_out`` says which decisions with an outcome are in none of the parts, and why. ``reviews_free``:
    the file names no price for a minute of review.
    """

    id: str
    use_case: str
    training_set: str
    train_to: datetime
    calibrate_to: datetime
    held_out_to: datetime
    rows_train: int
    rows_calibrate: int
    rows_held_out: int
    currency: str
    candidates: tuple[Measured, ...]
    best: CandidateName
    recommended: CandidateName
    reason: str
    artefacts: dict[str, str]
    made_at: datetime
    verdict: Verdict
    kind: OutcomeKind = "flag"
    unit: str = ""
    classes: tuple[str, ...] = ()
    judged_by: str = "day"
    blockers: tuple[str, ...] = ()
    cautions: tuple[str, ...] = ()
    refused: dict[CandidateName, str] = {}
    trivial: tuple[Trivial, ...] = ()
    differences: tuple[Difference, ...] = ()
    sliced: CandidateName | None = None
    slices: tuple[Slice, ...] = ()
    slices_left_out: int = 0
    searches: tuple[Search, ...] = ()
    fairness: tuple[Grouped, ...] = ()
    learning: Learning | None = None
    ablation: Ablation | None = None
    stability: Stability | None = None
    surest: tuple[Surest, ...] = ()
    bands: tuple[Band, ...] = ()
    left_out: tuple[str, ...] = ()
    reviews_free: bool = False
