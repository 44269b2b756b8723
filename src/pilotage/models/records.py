"""The nouns of modelling: measures with intervals, candidates, comparisons, artefacts, signals."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

CandidateName = Literal["rule", "logistic", "additive", "boosted"]


class Estimate(Struct, frozen=True):
    """A figure with the bounds of its 95 % interval and its standard error, from resampling whole days."""

    value: float
    low: float
    high: float
    error: float


class Bin(Struct, frozen=True):
    """One bin of a calibration curve: mean predicted probability, observed share, rows."""

    predicted: float
    observed: float
    rows: int


class Measured(Struct, frozen=True):
    """One candidate on the held-out time. Probabilities and shares lie in [0, 1]; money per 1,000 decisions."""

    candidate: CandidateName
    title: str
    auc: Estimate
    precision: Estimate
    recall: Estimate
    log_loss: Estimate
    calibration_error: Estimate
    money: Estimate
    threshold: float
    alerts_share: float
    review_share: float
    latency_us: float
    size_bytes: int
    train_seconds: float
    calibration: tuple[Bin, ...]


class Comparison(Struct, frozen=True):
    """All candidates on the same held-out time, and the one recommended.

    ``blockers`` are what the audit of the same file found that forbids trusting these figures; then the rule is kept.
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
    blockers: tuple[str, ...] = ()


class Signal(Struct, frozen=True):
    """One reason in words. ``weight`` is the contribution in log-odds; positive raises the probability."""

    column: str
    value: str
    sentence: str
    weight: float


class Parity(Struct, frozen=True):
    """Whether an artefact, read back from the lake, answers as the estimator that was trained.

    ``rows_batch`` were scored at once, ``rows_single`` one by one; ``flips`` counts decisions that differ.
    """

    candidate: CandidateName
    rows_batch: int
    rows_single: int
    difference_max: float
    flips: int
    passed: bool


class FileEntry(Struct, frozen=True):
    """A file of an artefact: its digest and size."""

    digest: str
    bytes: int


class Manifest(Struct, frozen=True):
    """What an artefact consists of and where it came from. Its canonical JSON is hashed and signed."""

    format: int
    use_case: str
    candidate: CandidateName
    definition: str
    training_set: str
    training_set_fingerprint: str
    code: str
    libraries: dict[str, str]
    parameters: dict[str, str]
    threshold: float
    uncertain_low: float
    uncertain_high: float
    files: dict[str, FileEntry]
    made_at: datetime
