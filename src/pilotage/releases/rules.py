"""What may change in what is live, as pure functions from one :class:`Live` to the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from pilotage.platform.errors import Conflict, EvidenceMissing, GateClosed, InvalidRequest, Problem
from pilotage.releases.records import ColumnParity, Live, LiveParity, MeasuredParity, Stage, Version

ANSWERING = (Stage.ASSIST, Stage.AUTOMATE)
"""The stages in which the model's answer reaches somebody."""


def first(use_case: str, definition: str, now: datetime, by: str) -> Live:
    """What is live before anything was released: nothing."""
    return Live(
        use_case=use_case,
        definition=definition,
        version=None,
        previous_version=None,
        stage=Stage.OFF,
        share=0.0,
        enabled=True,
        reason="Nothing was released yet.",
        revision=0,
        changed_at=now,
        changed_by=by,
    )


def with_version(live: Live, version: Version, definition: str, reason: str, now: datetime, by: str) -> Live:
    """Another version; the present one becomes the one to roll back to.

    Where the present one answers people, another goes back to shadow: no gate has judged it. Releasing the live
    version again leaves the stage alone.
    """
    if version.id == live.version:
        return _next(msgspec.structs.replace(live, definition=definition), reason, now, by)
    changed = msgspec.structs.replace(live, version=version.id, previous_version=live.version, definition=definition)
    if live.stage in ANSWERING:
        changed = msgspec.structs.replace(changed, stage=Stage.SHADOW, share=0.0)
    return _next(changed, reason, now, by)


def demand_unchanged(live: Live, judged_revision: int) -> None:
    """That what is live is still the revision that somebody looked at before deciding.

    Raises:
        Conflict: another change came first.
    """
    if live.revision != judged_revision:
        raise Conflict(
            f"What is live of {live.use_case} changed meanwhile: revision {judged_revision} was looked at, and "
            f"{live.changed_by} made it {live.revision}.",
            "Nothing was changed by you. Look at what is live now, then ask again.",
        )


def held_back(good: Live, newest: Live) -> Live:
    """What a worker goes by that cannot load the newest version: the good one, as far as both let it reach.

    The switch and the revision are the newest; stage and share are the lower of the two, as no gate has judged the
    good version for more than it had, and the newest may have taken some of that away.
    """
    order = list(Stage)
    stage = min(good.stage, newest.stage, key=order.index)
    share = reach(stage, min(good.share, newest.share))
    return msgspec.structs.replace(newest, version=good.version, stage=stage, share=share)


def stepped_back(history: Sequence[Live]) -> Stage | None:
    """The stage that the newest change took away from the use case because another version came; newest first."""
    if len(history) < 2:
        return None
    after, before = history[:2]
    replaced = before.version is not None and after.version != before.version
    return before.stage if replaced and before.stage in ANSWERING and after.stage is Stage.SHADOW else None


def demand_parity(version: Version, found: LiveParity | None) -> None:
    """That a version answers live as in training.

    Raises:
        EvidenceMissing: it was not measured.
        GateClosed: it does not; ``problems`` names the columns that differ, each with an example.
    """
    name = version.use_case
    if found is None:
        raise EvidenceMissing(
            f"Nobody has measured whether version {version.number} of {name} answers live as in training.",
            f"Run pilotage parity {name} --version {version.number}.",
        )
    if not found.passed:
        raise GateClosed(
            f"Version {version.number} of {name} may not become live: {in_words(found)}",
            "Repair what is named, then build, train and release again.",
            [Problem(each.column, differing(each)) for each in found.differing] + _flipped(found),
        )


def in_words(found: LiveParity) -> str:
    """What a parity says, in a sentence."""
    if not found.asked:
        fields = ", ".join(found.refused) or "nothing"
        return f"none of {found.rows:,} past rows could be asked; the contract of requests refused {fields}."
    flips = f"{found.flips:,} would be decided otherwise" if found.flips else "none would be decided otherwise"
    asked = f"of {found.asked:,} past rows asked through the live path {flips}"
    if not found.differing:
        return f"{asked}, and all {found.columns:,} columns are the same."
    names = ", ".join(each.column for each in found.differing[:3])
    more = f" and {len(found.differing) - 3:,} more" if len(found.differing) > 3 else ""
    return f"{asked}; live differs from training in {names}{more}."


def parity_in_short(measured: MeasuredParity | None) -> str:
    """What was measured of a version's parity, in a few words; of another file or by other code, with when it was."""
    if measured is None:
        return "not measured"
    found = measured.parity
    flips = "0 flips" if not found.flips else f"{found.flips:,} flips"
    names = ", ".join(each.column for each in found.differing[:3])
    return f"{flips} in {found.asked:,} rows" + (f"; differs in {names}" if names else "") + _of_when(measured)


def _of_when(measured: MeasuredParity) -> str:
    changed = [] if measured.of_this_file else ["for an earlier text of the file"]
    changed += [] if measured.by_this_code else ["by other code"]
    return f"; measured {measured.measured_at:%Y-%m-%d} {' and '.join(changed)}" if changed else ""


def differing(column: ColumnParity) -> str:
    """How a column differs, with an example."""
    parts = ((column.mismatch, "another value"), (column.missing, "missing live"), (column.extra, "only live"))
    counted = ", ".join(f"{count:,} {what}" for count, what in parts if count)
    said = f"differs in {column.differing:,} of {column.compared:,} rows ({counted})."
    example = column.example
    if example is None:
        return said
    of = f"{example.entity} at {example.moment:%Y-%m-%d %H:%M}"
    return f"{said} Of {of} training has {example.trained}, live {example.live}."


def _flipped(found: LiveParity) -> list[Problem]:
    if found.flip is None:
        return []
    example, columns = found.flip.example, found.flip.columns
    cause = f"there {', '.join(columns)} is not the same to the last bit" if columns else "all its columns are the same"
    said = f"{found.flips:,} rows are decided otherwise at the threshold or one ulp beside it."
    of = f"{example.entity} at {example.moment:%Y-%m-%d %H:%M}"
    return [Problem("decision", f"{said} Of {of} training scores {example.trained}, live {example.live}; {cause}.")]


def with_stage(live: Live, stage: Stage, share: float, reason: str, now: datetime, by: str) -> Live:
    """Another stage. ``share`` in (0, 1] is the share of entities that get the model's answer from assist on."""
    if stage is not Stage.OFF and live.version is None:
        raise Conflict(f"{live.use_case} has no version, so it cannot be in {stage}.", "Run pilotage release first.")
    if not 0 < share <= 1:
        raise InvalidRequest(f"A share lies above 0 and at most 1; {share} came.", "Give --share 0.2 for one in five.")
    return _next(msgspec.structs.replace(live, stage=stage, share=reach(stage, share)), reason, now, by)


def reach(stage: Stage, share: float) -> float:
    """The share of entities whose answer comes from the model: none below assist."""
    return share if stage in ANSWERING else 0.0


def switched(live: Live, enabled: bool, reason: str, now: datetime, by: str) -> Live:
    """The switch: off, the app gets the rule's answer; on, the stage counts again."""
    if live.enabled == enabled:
        state = "on" if enabled else "off"
        raise Conflict(f"{live.use_case} is already switched {state}.", "Nothing was changed.")
    return _next(msgspec.structs.replace(live, enabled=enabled), reason, now, by)


def demand_earlier(live: Live) -> str:
    """The version that can be gone back to.

    Raises:
        Conflict: there is none.
    """
    if live.previous_version is None:
        raise Conflict(
            f"{live.use_case} has no earlier version to go back to.",
            f"pilotage disable {live.use_case} is the way out.",
        )
    return live.previous_version


def rolled_back(history: Sequence[Live], definition: str, reason: str, now: datetime, by: str) -> Live:
    """The version before the present one with its ``definition``, in the same stage. ``history`` is newest first.

    What can be gone back to next is the version before that one: never the one that was just left.
    """
    live = history[0]
    target = demand_earlier(live)
    line = [version for version in _lineage(history) if version != live.version]
    before = [version for version in line[: max(_last(line, target), 0)] if version != target]
    changed = msgspec.structs.replace(
        live, version=target, previous_version=before[-1] if before else None, definition=definition
    )
    return _next(changed, reason, now, by)


def _lineage(history: Sequence[Live]) -> list[str]:
    """The versions that were released one upon the other, oldest first, without those that were rolled back."""
    line: list[str] = []
    for live in reversed(history):
        if live.version is None or line[-1:] == [live.version]:
            continue
        if live.previous_version == (line[-1] if line else None):
            line.append(live.version)  # a release: it stands on what was live before it
        else:
            line = [version for version in line if version != line[-1]]  # a roll-back from the last one
            line = line[: _last(line, live.version) + 1] or [live.version]
    return line


def _last(line: Sequence[str], version: str) -> int:
    """The last place of a version in a line, -1 where it has none."""
    return max((place for place, each in enumerate(line) if each == version), default=-1)


def difference(before: Live | None, after: Live, numbers: Mapping[str, int]) -> str:
    """What changed, in words: ``Stage shadow, version 2``. ``numbers`` is by version identifier."""
    changed = []
    if before is None or before.stage != after.stage:
        changed.append(f"stage {after.stage}")
    if after.version and (before is None or before.version != after.version):
        changed.append(f"version {numbers[after.version]}")
    if after.share and (before is None or before.share != after.share):
        changed.append(f"share {after.share:.0%}")
    if not after.enabled if before is None else before.enabled != after.enabled:
        changed.append("switched on" if after.enabled else "switched off")
    return ", ".join(changed).capitalize() or "Confirmed"


def by_an_earlier_file(number: int) -> str:
    """That a version does not answer by the newest use-case file, in words."""
    return (
        f"Version {number} answers by the use-case file that it was released with: the newest has other columns. "
        "Train and release a version for the newest, and both change together."
    )


def demand_reason(reason: str) -> None:
    """That a reason came.

    Raises:
        InvalidRequest: it is empty.
    """
    if not reason.strip():
        raise InvalidRequest("A change of what is live needs a reason; none came.", "Give --reason in a few words.")


def _next(live: Live, reason: str, now: datetime, by: str) -> Live:
    demand_reason(reason)
    return msgspec.structs.replace(live, revision=live.revision + 1, reason=reason, changed_at=now, changed_by=by)
