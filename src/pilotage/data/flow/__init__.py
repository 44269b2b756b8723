"""What the data room does: sync sources, build training sets and prove them, open the columns for live answers."""

from pilotage.data.flow.holdouts import note_holdout_use, times_judged
from pilotage.data.flow.looking import Looked, check, look, with_sources
from pilotage.data.flow.materialising import materialise, materialise_due
from pilotage.data.flow.opening import open_live
from pilotage.data.flow.questions import keep_questions
from pilotage.data.flow.reading import OutcomesOf, reading_outcomes, snapshot_versions
from pilotage.data.flow.rebuilding import prove, rebuild, standing, verify
from pilotage.data.flow.source_types import source_types
from pilotage.data.flow.syncing import (
    adopt_and_sync,
    asked_of,
    current_snapshots,
    not_its_rows,
    segments_sql,
    snapshot,
    states,
    sync,
    sync_due,
)
from pilotage.data.flow.training import (
    assembled,
    build,
    latest_training_set,
    script,
    training_rows,
)
from pilotage.data.flow.undecided import why_none
from pilotage.data.flow.writing_sql import columns_sql
from pilotage.data.live import LiveColumns

__all__ = [
    "LiveColumns",
    "Looked",
    "OutcomesOf",
    "adopt_and_sync",
    "asked_of",
    "assembled",
    "build",
    "check",
    "columns_sql",
    "current_snapshots",
    "keep_questions",
    "latest_training_set",
    "look",
    "materialise",
    "materialise_due",
    "not_its_rows",
    "note_holdout_use",
    "open_live",
    "prove",
    "reading_outcomes",
    "rebuild",
    "script",
    "segments_sql",
    "snapshot",
    "snapshot_versions",
    "source_types",
    "standing",
    "states",
    "sync",
    "sync_due",
    "times_judged",
    "training_rows",
    "verify",
    "why_none",
    "with_sources",
]
