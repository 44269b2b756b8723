"""Why a use case has no decision to learn from: the reason that its rows give."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from pilotage.data.rules.spine import moments_sql
from pilotage.usecase.records import Definition

if TYPE_CHECKING:
    import duckdb


def why_none(connection: duckdb.DuckDBPyConnection, definition: Definition, known_to: datetime) -> tuple[str, str]:
    """What keeps every row of the decision's source from being a decision, and the remedy.

    Reads the sources' relations. ``known_to`` is how far outcomes are known.
    """
    use_case = definition.use_case
    decision, name = use_case.decision, use_case.decision.source
    rows, late, chosen = connection.execute(moments_sql(use_case)).fetchall()[0]
    source = use_case.sources[name]
    if not rows:
        return f"{name} has no rows.", f"Fill it, and run pilotage sync {definition.name}."
    if not chosen:
        return f"None of the {rows:,} rows of {name} fulfils `decision.where`.", "Correct `decision.where`."
    if late == rows:
        moment = f"`decision.moment` ({decision.moment})" if decision.moment else f"its {source.event_time}"
        return (
            (
                f"All {rows:,} rows of {name} became known ({source.known_at}) after the moment of their own decision, "
                f"which is {moment}: nothing could be decided then."
            ),
            (
                "Decide when the row is written (`decision.moment`), or name the column that says when it was first "
                "known (`known_at`); rows that are written over need a second source for what they say at the end."
            ),
        )
    return (
        (
            f"No decision of {definition.name} is older than {use_case.outcome.matures}, so none has an outcome by "
            f"{known_to:%Y-%m-%d %H:%M} UTC."
        ),
        "Wait for outcomes, or check `decision.moment`, `decision.where` and `outcome.matures`.",
    )
