"""The nouns of modelling: measures with intervals, candidates, comparisons, artefacts, signals."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

CandidateName = Literal["rule", "logistic", "additive", "boosted"]
Verdict = Literal["pilot", "keep_rule", "not_enough_evidence", "blocked"]
SameAnswer = Literal["always", "never"]


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


class Perfect(Struct, frozen=True):
    """A loss beside that of a perfectly calibrated model with the same probabilities: its mean and 95 % range.

    ``p`` is how often chance alone takes a perfect model at least as far from ``expected``; never 0.
    """

    value: float
    expected: float
    low: float
    high: float
    p: float


class Reliability(Struct, frozen=True):
    """Whether probabilities mean what they say. ``said`` is their mean, ``happened`` the share of positive outcomes.

    ``slope`` and ``intercept`` are those of outcomes on log-odds: 1 and 0 are perfect, a slope below 1 is too extreme.
    """

    log_loss: Perfect
    brier: Perfect
    said: float
    happened: float
    slope: Estimate
    intercept: Estimate


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
    reliability: Reliability | None = None


class Trivial(Struct, frozen=True):
    """The same answer to every decision of the held-out time: what a model must at least be better than.

    ``rate`` is the share of positive outcomes in the training part, ``log_loss`` that of giving everybody this
    probability, ``at_threshold`` what it comes to at the threshold. Money per 1,000 decisions.
    """

    rate: float
    at_threshold: SameAnswer
    always: Estimate
    never: Estimate
    log_loss: Estimate

    @property
    def best(self) -> SameAnswer:
        return "always" if self.always.value > self.never.value else "never"

    @property
    def money(self) -> Estimate:
        """Of the better of the two answers."""
        return self.always if self.best == "always" else self.never


class Difference(Struct, frozen=True):
    """What a candidate earns more than the rule per 1,000 decisions, on the same days.

    ``p`` is that of the candidate alone, ``p_family`` corrected for all candidates that were tried; none is ever 0.
    """

    candidate: CandidateName
    money: Estimate
    p: float
    p_family: float


class Slice(Struct, frozen=True):
    """A candidate on the held-out decisions with one value of a column; ``difference`` to the rule, both per 1,000."""

    column: str
    value: str
    rows: int
    positives: int
    money: Estimate
    difference: Estimate
    auc: Estimate


class Comparison(Struct, frozen=True):
    """All candidates on the same held-out time, and the one recommended.

    ``blockers`` are what the audit of the same file found that forbids trusting these figures; then the rule is kept.
    ``recommended`` is the rule unless the verdict is pilot. Comparisons of earlier versions have no verdict, no
    ``trivial`` answers and no ``differences``. ``slices`` are those of ``sliced``, the recommended or best model, worst
    against the rule first; ``slices_left_out`` had too few rows, positive outcomes or days.
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
    verdict: Verdict | None = None
    trivial: Trivial | None = None
    differences: tuple[Difference, ...] = ()
    sliced: CandidateName | None = None
    slices: tuple[Slice, ...] = ()
    slices_left_out: int = 0


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
