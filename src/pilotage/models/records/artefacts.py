"""What an artefact is, how it held up, and what it says of one case."""

from __future__ import annotations

from datetime import datetime

from msgspec import UNSET, Struct, UnsetType

from pilotage.models.records.figures import CandidateName
from pilotage.usecase.records import OutcomeKind


class Signal(Struct, frozen=True):
    """One reason in words. ``weight`` is the contribution before calibration: in log-odds, or in a number's unit.

    ``points`` is its part of the difference between this answer and an average one, after calibration: in the terms of
    the probability that is shown. The points of all columns sum to that difference.

    What the sentence tells in brackets is there by itself, to be said in other languages: of a number or a flag what is
    ``typical``; of a category its ``share`` of the training rows, 0 where they did not have it; of a text its loudest
    ``words``.
    """

    column: str
    value: str
    sentence: str
    weight: float
    points: float = 0.0
    typical: float | bool | UnsetType = UNSET
    share: float | UnsetType = UNSET
    words: tuple[str, ...] | UnsetType = UNSET


class Prediction(Struct, frozen=True):
    """What a model says of one case. ``answer`` is yes or no, a category or a number.

    ``score`` is the calibrated probability of yes, that of the category, or the number; ``low`` and ``high`` bound a
    number's interval of 90 %; ``shares`` are the likeliest categories with their probabilities. ``review``: so unsure
    that the file sends it to a person.
    """

    answer: bool | str | float
    score: float
    review: bool
    low: float | None = None
    high: float | None = None
    shares: dict[str, float] = {}


class Parity(Struct, frozen=True):
    """Whether an artefact, read back from the lake, answers as the estimator that was trained.

    ``rows_batch`` were scored at once, ``rows_single`` one by one; ``flips`` counts decisions that differ.
    ``difference_max`` is None where an output is no number, and so no difference is.
    """

    candidate: CandidateName
    rows_batch: int
    rows_single: int
    difference_max: float | None
    flips: int
    passed: bool


class FileEntry(Struct, frozen=True):
    """A file of an artefact: its digest and size."""

    digest: str
    bytes: int


class Manifest(Struct, frozen=True):
    """What an artefact consists of and where it came from. Its canonical JSON is hashed and signed.

    ``family`` says how its files are read. ``threshold`` is a probability or, of a number, in its unit.
    """

    format: int
    use_case: str
    candidate: CandidateName
    family: str
    kind: OutcomeKind
    definition: str
    training_set: str
    training_set_fingerprint: str
    code: str
    libraries: dict[str, str]
    parameters: dict[str, str]
    threshold: float | None
    uncertain_low: float
    uncertain_high: float
    files: dict[str, FileEntry]
    made_at: datetime
    classes: tuple[str, ...] = ()
    confidence: float | None = None
    width: float | None = None
