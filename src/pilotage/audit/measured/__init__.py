"""Everything that was measured for an audit: figures without judgement, one file per subject."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from pilotage.audit.measured.availability import Availability
from pilotage.audit.measured.decisions import DecisionFigures
from pilotage.audit.measured.face import OutcomeShape
from pilotage.audit.measured.groups import GroupFigures
from pilotage.audit.measured.keys import KeyFigures
from pilotage.audit.measured.label import LabelFigures
from pilotage.audit.measured.leakage import LeakageFigures
from pilotage.audit.measured.personal import PersonalFigures
from pilotage.audit.measured.reference import ReferenceFigures
from pilotage.audit.measured.sources import SourceFigures
from pilotage.audit.measured.systems import SystemsFigures
from pilotage.data.contracts.records import Violation
from pilotage.data.records import SourceState


class Measured(Struct, frozen=True):
    """All figures, and what is known of the training set built last, of contracts that are broken and of syncing."""

    sources: dict[str, SourceFigures]
    systems: SystemsFigures
    decisions: DecisionFigures
    leakage: LeakageFigures
    personal: PersonalFigures
    groups: GroupFigures
    newest: datetime | None
    training_set: str = ""
    recreated: bool | None = None
    broken: tuple[Violation, ...] = ()
    syncing: dict[str, SourceState] = {}
    written_late: dict[str, int] = {}
    keys: KeyFigures = KeyFigures()
    shape: OutcomeShape = OutcomeShape()
    label: LabelFigures = LabelFigures()
    reference: ReferenceFigures = ReferenceFigures()
    availability: tuple[Availability, ...] = ()
