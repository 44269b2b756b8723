"""What a training set stands on, what was left out of it and whether it could be rebuilt: in sentences."""

from __future__ import annotations

from pilotage.data.records import Change, Difference, Exclusion, Rebuilt, TrainingSet

REASONS: dict[Exclusion, str] = {
    "deletion": "only saying that their key is deleted",
    "without_entity": "without an entity",
    "without_moment": "without a moment",
    "known_later": "known after their moment",
    "replaced": "replaced by a newer row of the same entity",
    "deleted": "deleted by their moment",
    "where": "not fulfilling `decision.where`",
    "immature": "not matured",
}


def built(found: TrainingSet) -> str:
    """``57 decisions from 2013-12-01 to …, 57 with a known outcome, 19 of them positive; left out: 3 not matured.``"""
    spoken = [
        f"{rows:,} {REASONS[reason]}"
        for reason, rows in sorted(found.excluded.items(), key=lambda each: -each[1])
        if rows
    ]
    left_out = f"left out: {', '.join(spoken)}" if spoken else "nothing was left out"
    return (
        f"{found.rows:,} decisions from {found.moment_from:%Y-%m-%d} to {found.moment_to:%Y-%m-%d}, "
        f"{found.labelled:,} with a known outcome, {found.positives:,} of them positive. "
        f"They are {found.rows:,} of {found.rows_in:,} rows of {found.spine.source}; {left_out}."
    )


def rebuilt(found: TrainingSet, proof: Rebuilt, lead: str = "Rebuilt from its snapshots") -> tuple[str, ...]:
    """Whether a set came out the same again; if not, its first differing row and what changed, a line each.

    ``lead`` says what was compared.
    """
    if proof.same:
        return (f"{lead}: identical ({found.fingerprint[:12]}).",)
    if proof.rows is None:
        said = [f"It could not be rebuilt{': ' if proof.failure else ''}{proof.failure}."]
    elif proof.difference is not None:
        said = [f"{lead}: row {_difference(proof.difference)}"]
    elif all(change.what != "file" for change in proof.changes):
        said = [f"{lead}: its rows are the same, but not the files that it names."]
    else:
        said = [f"{lead}: {proof.rows:,} rows; there is nothing left to compare them with."]
    changed = [_change(change) for change in proof.changes]
    return (*said, *(changed or ["Its sources, the code and the engine are as they were: what computes it varies."]))


def _difference(found: Difference) -> str:
    place = f"{found.row:,} ({found.entity}, {found.moment:%Y-%m-%d %H:%M}) "
    if found.column:
        return f"{place}differs in {found.column}: {found.kept} was kept, {found.rebuilt} came out."
    return f"{place}was kept and did not come out." if found.rebuilt == "none" else f"{place}came out and was not kept."


def _change(change: Change) -> str:
    before, now = change.before[:12], change.now if change.now == "gone" else change.now[:12]
    if change.what == "snapshot":
        return f"Source {change.source} changed: its snapshot {before} cannot be read. {change.now}"
    if change.what == "segments":
        is_now = "is gone" if now == "gone" else f"has other bytes now ({now})"
        return f"Source {change.source} changed: its segment {before} {is_now}. Restore it from a backup."
    if change.what == "file":
        return f"The kept file of the set {before} {'is gone' if now == 'gone' else f'has other bytes now ({now})'}."
    return f"No source changed; the {change.what} did: {change.before} made it, this is {change.now}."
