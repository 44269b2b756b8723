"""Which outcomes are new, which correct an earlier one, and which say nothing new."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec.structs import replace

from pilotage.decisions.records import Said
from pilotage.outcomes.records import Asked, Decided, JoinedOutcome, OutcomePull, Report
from pilotage.platform.counting import plural
from pilotage.usecase.records import Outcome


def changes(
    decided: Iterable[tuple[str, str]],
    happened: Mapping[str, tuple[Said, datetime]],
    joined: Mapping[str, JoinedOutcome],
    use_case: str,
    now: datetime,
) -> list[JoinedOutcome]:
    """What to add, so that each decision has the newest outcome of its entity, however often this is repeated.

    Args:
        decided: (decision, entity) pairs.
        happened: by entity, what it was and when that became known; no entry where nothing is known.
        joined: by decision, the outcome that counts so far.
    """
    found = []
    for decision, entity in decided:
        if entity not in happened:
            continue
        what, known_at = happened[entity]
        before = joined.get(decision)
        if before is not None and before.known_at >= known_at:
            continue
        revision, known_before = (1, False) if before is None else (before.revision + 1, before.known_before)
        found.append(JoinedOutcome(decision, use_case, entity, what, known_at, now, revision, known_before))
    return found


def told_apart(found: Iterable[JoinedOutcome], reached: Mapping[str, datetime | None]) -> list[JoinedOutcome]:
    """The same, with those marked that had been read before their question was answered.

    ``reached`` is, by decision, how far the source had been read then. A correction is as its first outcome was.
    """
    return [replace(each, known_before=True) if _was_read(each, reached) else each for each in found]


def _was_read(outcome: JoinedOutcome, reached: Mapping[str, datetime | None]) -> bool:
    end = reached.get(outcome.decision)
    return outcome.revision == 1 and end is not None and outcome.known_at <= end


def behind(decided: Iterable[Decided], happened: Mapping[str, tuple[Said, datetime]]) -> list[Decided]:
    """Those about whose entity more is known than was joined."""
    told = [each for each in decided if each.entity in happened]
    return [each for each in told if each.known_at is None or each.known_at < happened[each.entity][1]]


def accounted(
    pull: OutcomePull, revisions: Sequence[int], without: Iterable[Decided], matures: timedelta, now: datetime
) -> OutcomePull:
    """A pull that has looked at further decisions.

    ``revisions`` are of the outcomes that it joined to them; those ``without`` an outcome wait for it or miss it.
    """
    corrected = sum(revision > 1 for revision in revisions)
    due = [each.moment + matures for each in without]
    waiting = [at for at in due if at > now]
    until = [*waiting, *([pull.waiting_until] if pull.waiting_until else [])]
    return replace(
        pull,
        joined=pull.joined + len(revisions) - corrected,
        corrected=pull.corrected + corrected,
        waiting=pull.waiting + len(waiting),
        waiting_until=max(until, default=None),
        missing=pull.missing + len(due) - len(waiting),
    )


def completed(pull: OutcomePull, known: int, known_before: int) -> OutcomePull:
    """A pull that has looked at all that it looks at, with how many of all decisions have an outcome.

    Others join and ask meanwhile: what came between the looks is never less than none.
    """
    left = max(0, pull.decisions - known - pull.waiting - pull.missing)
    return replace(pull, known=known, known_before=known_before, left=left)


def told(pull: OutcomePull, outcome: Outcome, entity: str) -> list[str]:
    """Where every decision stands, a sentence per place; none of a place without any."""
    if not pull.decisions:
        return ["No decision yet: nothing waits for an outcome."]
    said = [f"An outcome is known for {pull.known:,} of {plural(pull.decisions, 'decision')}."]
    if pull.known_before:
        said.append(
            f"Read before the question was answered: {pull.known_before:,} of these outcomes. They show nothing of how "
            "well answers foresee; no figure of quality or money counts them."
        )
    if pull.waiting_until is not None:
        said.append(
            f"Waiting: {pull.waiting:,}. An outcome matures within {outcome.matures} of the decided moment, "
            f"the last by {pull.waiting_until:%Y-%m-%d %H:%M} UTC."
        )
    if pull.missing:
        said.append(
            f"Missing: {pull.missing:,}. The source {outcome.source} should tell by now and does not: see whether "
            f"their {entity} is in it and `{outcome.expression}` has a value there. They are looked for again."
        )
    if pull.left:
        said.append(
            f"Left: {pull.left:,}. They have no outcome and were answered more than ten times {outcome.matures} before "
            "the newest: nobody looks for it any more."
        )
    return said


def why_waiting(report: Report, asked: Mapping[str, Asked], caller_known: bool, misfit: str) -> str:
    """Why a report is not joined, in a sentence. ``asked`` is what is known of the decisions that it may be about."""
    if not caller_known:
        return "The key that told it is disabled: nobody knows what it may tell of. Tell it again with another key."
    if misfit:
        return f"The decision is there, but {misfit}"
    if report.decision:
        if report.decision not in asked:
            return "There is no decision with this identifier: it was never made here, or not recorded."
        return f"The decision belongs to {asked[report.decision].use_case}, which the report or its key does not name."
    return "Nobody asked about this entity yet."


def newest_versions(told: Iterable[Report]) -> dict[tuple[str, str], Report]:
    """The highest version of each event, in whatever order they came."""
    found: dict[tuple[str, str], Report] = {}
    for report in told:
        event = (report.source, report.id)
        if event not in found or report.version > found[event].version:
            found[event] = report
    return found


def settled(
    decided: Mapping[str, Asked],
    told: Iterable[Report],
    pulled: Mapping[str, JoinedOutcome],
    counting: Mapping[str, JoinedOutcome],
    now: datetime,
) -> list[JoinedOutcome]:
    """What to add, so that each decision has the outcome that became known last: told or pulled, each event once.

    What comes out depends on what was told, never on the order in which it came.

    Args:
        decided: by decision, what was asked.
        told: all reports about these decisions, old versions too.
        pulled: by decision, the newest outcome from a source of the use case's file.
        counting: by decision, the outcome that counts so far.
    """
    by_decision: dict[str, list[Report]] = {}
    by_entity: dict[tuple[str, str], list[Report]] = {}
    for report in newest_versions(told).values():
        if report.decision:
            by_decision.setdefault(report.decision, []).append(report)
        else:
            by_entity.setdefault((report.use_case, report.entity), []).append(report)
    found = []
    for decision, asked in decided.items():
        about = by_decision.get(decision, []) + by_entity.get((asked.use_case, asked.entity), [])
        last = max(about, key=lambda each: (each.known_at, each.source, each.id), default=None)
        from_source = pulled.get(decision)
        if last is None or (from_source is not None and from_source.known_at > last.known_at):
            what = None if from_source is None else (from_source.happened, from_source.known_at, "", False)
        else:
            what = (last.happened, last.known_at, last.name, last.reported_at < asked.decided_at)
        before = counting.get(decision)
        if what is None or (before is not None and (before.happened, before.known_at, before.told_by) == what[:3]):
            continue
        revision, known_before = (1, what[3]) if before is None else (before.revision + 1, before.known_before)
        found.append(
            JoinedOutcome(
                decision, asked.use_case, asked.entity, what[0], what[1], now, revision, known_before, told_by=what[2]
            )
        )
    return found
