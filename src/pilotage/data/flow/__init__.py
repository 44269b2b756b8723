"""What the data room does: sync sources, build training sets and prove them, open the columns for live answers."""

from pilotage.data.flow.looking import Looked, check, look
from pilotage.data.flow.opening import open_live
from pilotage.data.flow.reading import outcomes_of, snapshot_versions
from pilotage.data.flow.syncing import (
    adopt_and_sync,
    asked_of,
    current_snapshots,
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
    prove,
    script,
    training_rows,
    verify_training_set,
)
from pilotage.data.flow.undecided import why_none
from pilotage.data.live import LiveColumns

__all__ = [
    "LiveColumns",
    "Looked",
    "adopt_and_sync",
    "asked_of",
    "assembled",
    "build",
    "check",
    "current_snapshots",
    "latest_training_set",
    "look",
    "open_live",
    "outcomes_of",
    "prove",
    "script",
    "segments_sql",
    "snapshot",
    "snapshot_versions",
    "states",
    "sync",
    "sync_due",
    "training_rows",
    "verify_training_set",
    "why_none",
]
