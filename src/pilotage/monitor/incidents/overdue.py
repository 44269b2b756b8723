"""Cases that nobody judged in time: one incident per use case, for as long as there are any."""

from __future__ import annotations

from pilotage.monitor.incidents import flow
from pilotage.monitor.incidents.records import OtherKind
from pilotage.platform.workspace import Workspace
from pilotage.review import flow as reviewing
from pilotage.usecase import flow as defining


def tend(work: Workspace) -> int:
    """Escalate late cases and let them lapse, as review does, and say where some wait; how many moved.

    Where somebody closed the incident, another opens when more cases pass their time.
    """
    moved = reviewing.tend(work)
    every = flow.listed(work, only_open=True, limit=None)
    known = {each.use_case: each for each in every if each.kind == OtherKind.CASES_OVERDUE}
    for name in [each.name for each in defining.definitions(work) if moved or each.name in known]:
        overdue = reviewing.counts(work, name).overdue
        if overdue:
            waiting = "1 case waits" if overdue == 1 else f"{overdue:,} cases wait"
            why = f"{waiting} for a person beyond the time that the file gives; nothing is approved by waiting."
            flow.see(work, OtherKind.CASES_OVERDUE, why, name, times=0 if name in known else 1)
        elif name in known:
            flow.close_if_calm(work, known[name], "no case is past its time")
    return moved
