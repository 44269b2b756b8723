"""What a training set stands on, what was left out of it and whether it could be rebuilt: in sentences."""

from __future__ import annotations

from pilotage.data.records import QUANTILES, Change, Difference, Exclusion, Rebuilt, TrainingSet

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
        f"{found.rows:,} decisions {_when(found)}, "
        f"{found.labelled:,} with a known outcome{_outcomes(found)}.{_beside(found)} "
        f"They are {found.rows:,} of {found.rows_in:,} rows of {found.spine.source}; {left_out}."
    )


def _when(found: TrainingSet) -> str:
    """From which day to which; the rows of a static source, known since 1970, have no moment of their own."""
    if found.moment_to.timestamp() == 0:
        return "without a moment"
    return f"from {found.moment_from:%Y-%m-%d} to {found.moment_to:%Y-%m-%d}"


def _outcomes(found: TrainingSet) -> str:
    """What the known outcomes are: ``, 19 of them positive``."""
    if found.kind == "flag":
        return f", {found.positives or 0:,} of them positive"
    if found.kind == "number":
        least, low, _, middle, _, high, most = found.quantiles or (0.0,) * len(QUANTILES)
        spread = f"nine in ten from {low:,g} to {high:,g}, all from {least:,g} to {most:,g}"
        return f", half of them up to {middle:,g}, {spread}" if found.quantiles else ""
    if not found.classes:
        return ""
    most_frequent = ", ".join(f"{name} ({count:,})" for name, count in [*found.classes.items()][:_CLASSES_SAID])
    distinct = found.distinct or 0
    spoken = "which is" if distinct == 1 else "which are" if distinct <= _CLASSES_SAID else "most often"
    return f", of {distinct:,} {'category' if distinct == 1 else 'categories'}, {spoken} {most_frequent}"


_CLASSES_SAID = 3


def _beside(found: TrainingSet) -> str:
    """What else the rows say: what people decided, and which rows judge."""
    said = "" if found.decided is None else f" People decided {found.decided:,} of them."
    return said if found.judged is None else f"{said} {found.judged:,} of them judge the candidates."


def rebuilt(found: TrainingSet, proof: Rebuilt, lead: str = "Rebuilt from its snapshots") -> tuple[str, ...]:
    """Whether a set came out the same again; if not, its first differing row and what changed, a line each.

    ``lead`` says what was compared.
    """
    if proof.same and proof.apart is not None:
        apart = f"{proof.apart:.0e} of their size apart at most" if proof.apart else "identical, too"
        return (f"{lead} by another engine: identical but for sums, means and deviations, which are {apart}.",)
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
