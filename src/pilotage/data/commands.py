"""Commands of data: sync sources, build and prove the training set, print its SQL."""

from __future__ import annotations

from pilotage.platform.terminal import Terminal
from pilotage.platform.workspace import opened


def sync(use_case: str | None = None, *, json: bool = False) -> None:
    """Read what became known at each source since the last time."""
    from pilotage.data import flow
    from pilotage.usecase import flow as defining

    terminal = Terminal(json)
    with opened() as work:
        definition = defining.find(work, use_case)
        results = flow.sync(work, definition)
    rows = [
        (r.source, r.rows_new, r.rows, f"{r.known_to:%Y-%m-%d %H:%M}" if r.known_to else "", r.version[:12])
        for r in results
    ]
    terminal.table("Sources", ("source", "new rows", "rows", "known to (UTC)", "version"), rows)
    terminal.say(f"{sum(r.rows_new for r in results):,} new rows from {len(results)} sources.")
    terminal.document(results)
    terminal.next(f"pilotage audit {definition.name}")


def build(use_case: str | None = None, *, verify: bool = False, json: bool = False) -> None:
    """Build the training set: one row per decision, with what was known by then. --verify rebuilds it to prove it."""
    from pilotage.data import flow
    from pilotage.usecase import flow as defining

    terminal = Terminal(json)
    with opened() as work:
        definition = defining.find(work, use_case)
        built = flow.build(work, definition)
        terminal.say(
            f"{built.rows:,} decisions from {built.moment_from:%Y-%m-%d} to {built.moment_to:%Y-%m-%d}, "
            f"{built.labelled:,} with a known outcome, {built.positives:,} of them positive. Rows in = rows out."
        )
        same = flow.prove(work, definition, built) if verify else None
    if same is not None:
        verdict = "identical" if same else "NOT identical"
        terminal.say(f"Rebuilt from its snapshots: {verdict} ({built.fingerprint[:12]}).")
    terminal.document({"training_set": built, "recreated": same})
    if same is False:
        raise SystemExit(1)
    terminal.next(f"pilotage train {definition.name}")


def sql(use_case: str | None = None) -> None:
    """Print the SQL that makes the training set: it runs in DuckDB as it is."""
    from pilotage.data import flow
    from pilotage.usecase import flow as defining

    with opened() as work:
        Terminal().say(flow.script(work, defining.find(work, use_case)))
