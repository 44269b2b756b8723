"""Making versions, releasing them, and taking them back. Every change is one revision and one audit-log entry."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import pairwise

import msgspec

from pilotage.data import flow as data
from pilotage.govern import flow as governing
from pilotage.govern.records import Principal
from pilotage.models import artefacts
from pilotage.models import flow as modelling
from pilotage.models.golden import EnvironmentDiffers
from pilotage.models.records import CandidateName, Comparison
from pilotage.platform.code_version import code_version
from pilotage.platform.errors import Conflict, CorruptArtefact, NotFound
from pilotage.platform.identifiers import new_id
from pilotage.platform.workspace import Workspace
from pilotage.releases import rules, store
from pilotage.releases.records import LIVE_PARITY, Live, LiveParity, MeasuredParity, Stage, Version
from pilotage.usecase import flow as defining
from pilotage.usecase.records import Definition

_MEASURED_MAX = 10_000
"""Measurements looked through for those of all versions."""


def live(work: Workspace, use_case: str) -> Live:
    """What is live for a use case; before the first release that is stage *off* without a version."""
    with work.database.reading() as connection:
        found = store.find_live(connection, use_case)
    return found or rules.first(use_case, "", work.clock.now(), "")


def demand_revision(work: Workspace, use_case: str, judged_revision: int | None) -> int:
    """The revision that a change goes by: the one somebody looked at, or what is live now.

    Raises:
        Conflict: what somebody looked at is no longer live.
    """
    present = live(work, use_case)
    if judged_revision is not None:
        rules.demand_unchanged(present, judged_revision)
    return present.revision


def make_version(
    work: Workspace, definition: Definition, comparison: Comparison, candidate: CandidateName, by: Principal
) -> Version:
    """A signed version of one compared candidate. It is not live until it is released.

    Raises:
        Conflict: the candidate is the rule, which needs no version, or was not trained in this comparison.
    """
    if candidate == "rule":
        raise Conflict(
            f"There is nothing to release. {comparison.reason}", "The app gets the rule's answers without a version."
        )
    if candidate not in comparison.artefacts:
        trained = ", ".join(sorted(comparison.artefacts)) or "none"
        raise Conflict(f"{candidate} has no artefact in comparison {comparison.id}.", f"Trained there: {trained}.")
    artefact = comparison.artefacts[candidate]
    signature = modelling.sign_artefact(work, artefact)
    with work.database.writing() as connection:
        governing.take_turn(connection)
        known = store.versions_of(connection, definition.name)
        version = Version(
            id=new_id("ver", work.clock.now()),
            use_case=definition.name,
            number=1 + max((each.number for each in known), default=0),
            candidate=candidate,
            artefact=artefact,
            signature=signature,
            comparison=comparison.id,
            training_set=comparison.training_set,
            made_at=work.clock.now(),
            made_by=by.name,
        )
        store.insert_version(connection, version)
        detail = {"number": version.number, "candidate": candidate, "artefact": artefact, "version": version.id}
        governing.record(connection, work, by, "version.made", definition.name, detail)
    return version


def release(
    work: Workspace,
    definition: Definition,
    version: Version,
    by: Principal,
    reason: str,
    judged_revision: int | None = None,
) -> Live:
    """Make a version the live one. In assist and automate another version steps back to shadow in the same revision.

    ``judged_revision`` is what was live when somebody decided this; without it, what is live now. Of two who release
    at once one wins, and the other is told.

    Raises:
        Conflict: the version belongs to another use case, cannot be loaded, answers its golden vectors otherwise here,
            was trained for another file, or what is live changed meanwhile.
        EvidenceMissing: nobody has measured whether it answers live as in training.
        GateClosed: it does not; each column that differs is named.
    """
    judged = demand_revision(work, definition.name, judged_revision)
    refuse_unfit(work, definition, version)
    rules.demand_parity(version, parity_of(work, definition, version))
    now = work.clock.now()

    def change(past: Sequence[Live]) -> Live:
        rules.demand_unchanged(past[0], judged)
        return rules.with_version(past[0], version, definition.fingerprint, reason, now, by.name)

    return _change(work, definition.name, by, "version.released", change)


def set_stage(
    work: Workspace,
    use_case: str,
    stage: Stage,
    share: float,
    by: Principal,
    reason: str,
    judged_revision: int | None = None,
) -> Live:
    """Move a use case to a stage. Whether it may is the business of the rollout's gates, asked before.

    Raises:
        Conflict: there is no version, or what is live is no longer the revision that the gates judged.
    """
    now = work.clock.now()

    def change(past: Sequence[Live]) -> Live:
        if judged_revision is not None:
            rules.demand_unchanged(past[0], judged_revision)
        return rules.with_stage(past[0], stage, share, reason, now, by.name)

    return _change(work, use_case, by, "stage.changed", change)


def disable(work: Workspace, use_case: str, by: Principal, reason: str) -> Live:
    """Switch off: from now on the app gets the rule's answer."""
    now = work.clock.now()
    return _change(
        work, use_case, by, "switch.disabled", lambda past: rules.switched(past[0], False, reason, now, by.name)
    )


def enable(work: Workspace, use_case: str, by: Principal, reason: str) -> Live:
    """Switch on again, in the stage that was left."""
    now = work.clock.now()
    return _change(
        work, use_case, by, "switch.enabled", lambda past: rules.switched(past[0], True, reason, now, by.name)
    )


def roll_back(work: Workspace, use_case: str, by: Principal, reason: str, judged_revision: int | None = None) -> Live:
    """Back to the version before the present one, in the same stage; a second roll-back goes further back.

    ``judged_revision`` is what was live when somebody decided this; without it, what is live now.
    The earlier version is loaded and answers its golden vectors first: model, calibration, threshold, contract and
    reasons come back together, or nothing changes. Where it was live with another use-case file, that comes back too.

    Raises:
        Conflict: there is no earlier version, it cannot be loaded or answers its golden vectors otherwise here, the
            file or the rows that it was live with are not kept, or what is live changed meanwhile.
    """
    judged = demand_revision(work, use_case, judged_revision)
    now = work.clock.now()
    rules.demand_reason(reason)
    target = version(work, rules.demand_earlier(live(work, use_case)))
    definition = _file_of(work, target)
    refuse_unfit(work, definition, target)

    def change(past: Sequence[Live]) -> Live:
        rules.demand_unchanged(past[0], judged)
        return rules.rolled_back(past, definition.fingerprint, reason, now, by.name)

    return _change(work, use_case, by, "version.rolled_back", change)


def answering(work: Workspace, adopted: Definition) -> Definition:
    """The file that answers are given by: the adopted one, unless what is live was released with other columns.

    Then that is the newest file with these columns, until a version for the adopted one is released. Where that is not
    kept, or its sources were declared anew and read since, the adopted one counts, and the version cannot answer.
    """
    present = live(work, adopted.name)
    if present.version is None or present.definition == adopted.fingerprint:
        return adopted
    found = defining.earlier(work, adopted, present.definition)
    if found is None or found is adopted or data.not_its_rows(work, found):
        return adopted
    return found


def earlier_file(work: Workspace, definition: Definition) -> str:
    """That what is live does not answer by the newest use-case file, in words; empty where it does."""
    if answering(work, definition) is definition:
        return ""
    return rules.by_an_earlier_file(version(work, live(work, definition.name).version or "").number)


def file_since(work: Workspace, use_case: str) -> datetime:
    """Since when what is live goes with its file; the beginning of time where no release ever changed that."""
    for after, before in pairwise(history(work, use_case, limit=None)):
        if before.definition and before.definition != after.definition:
            return after.changed_at
    return datetime.min.replace(tzinfo=UTC)


def _file_of(work: Workspace, version: Version) -> Definition:
    """The file that a version was live with.

    Raises:
        Conflict: rows of its sources are no longer here as it declares them.
    """
    adopted = defining.find_adopted(work, version.use_case)
    was_live = next((each for each in history(work, version.use_case, limit=None) if each.version == version.id), None)
    found = None if was_live is None else defining.earlier(work, adopted, was_live.definition)
    if found is None or found is adopted:
        return adopted
    if gone := data.not_its_rows(work, found):
        raise Conflict(
            f"Version {version.number} of {version.use_case} was live with an earlier use-case file, and source "
            f"{', '.join(gone)} is no longer read as that file declares it.",
            f"Sync that file again and release the version with it; until then: pilotage disable {version.use_case}.",
        )
    return found


def versions(work: Workspace, use_case: str) -> list[Version]:
    """All versions of a use case, newest first."""
    with work.database.reading() as connection:
        return store.versions_of(connection, use_case)


def is_whole(work: Workspace, version: Version) -> bool:
    """Whether a version's artefact is here, byte for byte as this installation signed it."""
    try:
        artefacts.load(work, version.artefact, version.signature)
    except (CorruptArtefact, NotFound):
        return False
    return True


def version(work: Workspace, version_id: str) -> Version:
    """One version.

    Raises:
        NotFound: there is none with this identifier.
    """
    with work.database.reading() as connection:
        found = store.find_version(connection, version_id)
    if found is None:
        raise NotFound(f"There is no version {version_id}.", "pilotage versions lists them.")
    return found


def version_number(work: Workspace, use_case: str, number: int) -> Version:
    """One version by its number within the use case.

    Raises:
        NotFound: the use case has none with this number.
    """
    with work.database.reading() as connection:
        found = store.find_version_number(connection, use_case, number)
    if found is None:
        raise NotFound(f"{use_case} has no version {number}.", "pilotage versions lists them.")
    return found


def history(work: Workspace, use_case: str, limit: int | None = 50) -> list[Live]:
    """What was live, newest first: so many changes, or all of them. Rows are only ever added."""
    with work.database.reading() as connection:
        return store.history_of(connection, use_case, limit)


def last_good(work: Workspace, use_case: str) -> Live | None:
    """What was live when the version before the present one was, as it was at last; None where there was none."""
    past = history(work, use_case, limit=None)
    before = past[0].previous_version if past else None
    return None if before is None else next((each for each in past if each.version == before), None)


def revisions(work: Workspace) -> dict[str, int]:
    """The newest revision of every use case."""
    with work.database.reading() as connection:
        return store.revisions(connection)


def parity_of(work: Workspace, definition: Definition, version: Version) -> LiveParity | None:
    """What was measured of a version's parity, for this file by this code; None where nothing was."""
    for piece in defining.evidence_history(work, definition.name, LIVE_PARITY, _MEASURED_MAX):
        found = msgspec.convert(piece.body, LiveParity)
        if found.version == version.id and (piece.definition, piece.code) == (definition.substance, code_version()):
            return found
    return None


def parities(work: Workspace, definition: Definition) -> dict[str, MeasuredParity]:
    """The newest parity measured of each version, by its identifier, for whatever file and by whatever code."""
    found: dict[str, MeasuredParity] = {}
    for piece in defining.evidence_history(work, definition.name, LIVE_PARITY, _MEASURED_MAX):
        parity = msgspec.convert(piece.body, LiveParity)
        of_this_file, by_this_code = piece.definition == definition.substance, piece.code == code_version()
        found.setdefault(parity.version, MeasuredParity(parity, piece.made_at, of_this_file, by_this_code))
    return found


def refuse_unfit(work: Workspace, definition: Definition, version: Version) -> None:
    """Nothing becomes live that could not answer this use case's questions as its file puts them now.

    Raises:
        Conflict: the version belongs to another use case, cannot be loaded, answers its golden vectors otherwise
            here, or was trained for another file.
    """
    name = definition.name
    if version.use_case != name:
        raise Conflict(
            f"Version {version.number} was made for {version.use_case}, not for {name}.",
            f"pilotage versions {name} lists those that can be released.",
        )
    again = f"Run pilotage build {name} and pilotage train {name}, then pilotage release {name}."
    try:
        scorer = modelling.load_artefact(work, version.artefact, version.signature)
    except EnvironmentDiffers as error:
        raise Conflict(
            f"Version {version.number} of {name} does not become live here. {error.message}", error.repair
        ) from error
    except (CorruptArtefact, NotFound) as error:
        raise Conflict(
            f"Version {version.number} of {name} cannot be loaded: {error.message}", f"Restore a backup, or: {again}"
        ) from error
    if not scorer.fits(definition):
        raise Conflict(
            f"Version {version.number} of {name} was trained for another use-case file: its columns differ.", again
        )


def _change(
    work: Workspace, use_case: str, by: Principal, action: str, change: Callable[[Sequence[Live]], Live]
) -> Live:
    """Apply a change to what is live and write both the revision and the audit log in one transaction.

    ``change`` gets everything that was live, newest first. Of two changes at once the second waits, and then sees
    what the first one left.
    """
    with work.database.writing() as connection:
        governing.take_turn(connection)
        past = store.history_of(connection, use_case, limit=None)
        past = past or [rules.first(use_case, "", work.clock.now(), by.name)]
        before, after = past[0], change(past)
        store.insert_live(connection, after)
        detail = {
            "stage": [before.stage, after.stage],
            "share": [before.share, after.share],
            "version": [before.version, after.version],
            "enabled": [before.enabled, after.enabled],
            "definition": [before.definition, after.definition],
            "revision": after.revision,
            "reason": after.reason,
        }
        governing.record(connection, work, by, action, use_case, detail)
    return after
