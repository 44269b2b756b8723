"""Figures on values that would not be there, or could not be that good, when the decision is taken."""

from __future__ import annotations

from msgspec import Struct

from pilotage.audit.measured.equal_inputs import EqualInputs


class LateColumns(Struct, frozen=True):
    """A source with the decision's entity: how many of its rows became known after the decision."""

    source: str
    columns: tuple[str, ...]
    share_after: float
    sampled: int = 0


class Separation(Struct, frozen=True):
    """How well one column alone orders positives above negatives (area under the ROC curve, 0.5 to 1).

    ``agreement`` is the share of outcomes that the best single cut of the column, or its values, tell rightly;
    ``baseline`` the share told rightly by always saying the same. ``cut`` puts the cut in words.
    """

    source: str
    column: str
    auc: float
    rows: int
    agreement: float = 0.0
    baseline: float = 1.0
    cut: str = ""


class Dominance(Struct, frozen=True):
    """The best column that comes with the case itself, against the next best and against all others together (AUC).

    Judged on later decisions; where these have no moment (``in_time`` is false), on those that a model did not see.
    """

    column: str
    auc: float
    next_best: float
    others: float
    in_time: bool = True


class IdentifierSkill(Struct, frozen=True):
    """What a part of an identifier says of the outcome, among decisions of one time and of equal prospects.

    Numbers and order: the ``auc`` over ``rows``. Groups: the ``rows`` of the ``group`` that is furthest from what is
    expected of it, with its ``rate`` of positives. ``z`` is the distance from chance in standard errors.
    """

    source: str
    column: str
    part: str
    auc: float
    z: float
    rows: int
    group: str = ""
    rate: float | None = None
    expected: float | None = None


class JoinSkill(Struct, frozen=True):
    """A looked-up column's AUC where its key is shared by few decisions, and where by many.

    A value that was made from outcomes holds a large part of the own outcome where the key is rare, so it is better
    there; a value that was made from the past is worse there.
    """

    source: str
    column: str
    by: tuple[str, ...]
    rare_auc: float
    rare_rows: int
    common_auc: float
    common_rows: int
    z: float


class Twins(EqualInputs, frozen=True):
    """Decisions of the last fifth of time whose inputs and outcome are those of an earlier one to the last value.

    Only pairs count of which a value occurs nowhere else.
    """


class LaterDates(Struct, frozen=True):
    """A date that the app sends or an input takes: how many decisions have one, and how many lie after the moment."""

    column: str
    rows: int
    after: int
    samples: tuple[dict[str, str], ...] = ()


class LeakageFigures(Struct, frozen=True):
    """Per source with the entity, what became known late; per column, how it separates; and what gives cases away.

    ``of_rule`` and ``rule_dominance`` are of columns that the rule reads and no input takes.
    """

    late: tuple[LateColumns, ...] = ()
    separations: tuple[Separation, ...] = ()
    dominance: Dominance | None = None
    of_rule: tuple[Separation, ...] = ()
    rule_dominance: Dominance | None = None
    identifiers: tuple[IdentifierSkill, ...] = ()
    joins: tuple[JoinSkill, ...] = ()
    twins: Twins = Twins()
    dates: tuple[LaterDates, ...] = ()
    sampled: int = 0
