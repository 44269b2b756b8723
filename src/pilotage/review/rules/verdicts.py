"""What a verdict must say, when it counts, and until when it can be taken back."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import get_args

from pilotage.decisions.records import Said
from pilotage.platform.errors import Conflict, InvalidRequest, Problem
from pilotage.review.records import Case, Opinion, Verdict
from pilotage.usecase.records import OutcomeKind

NOTE_CHARACTERS_MAX = 2000
OPINIONS_MAX = 5
"""So many people are asked about one case where no two agree; nobody is asked after them."""
NO_ANSWER = Problem("answer", "must say what is right.", "Pick or write one.")
NO_VERDICT = Problem("verdict", "must be said.", "Approve, correct, or say that the case cannot be decided.")
JUDGED_BLIND = Problem(
    "verdict", "does not apply to a case that is judged blind.", "Send no verdict, only the answer that is right."
)
_NUMBER = re.compile(r"[-+]?\d{1,15}(\.\d{1,15})?")


def standing(opinions: Sequence[Opinion]) -> list[Opinion]:
    """The opinions that were not taken back, in the order in which they were given."""
    return [each for each in opinions if each.undone_at is None]


def settles(opinions: Sequence[Opinion], wanted: int) -> Opinion | None:
    """The opinion that decides the case: the newest, once as many as are ``wanted`` say the same; None before.

    Where two differ a further person arbitrates, who sees neither, and decides by agreeing with one of them.
    """
    given = standing(opinions)
    agreeing = [each for each in given if _alike(each, given[-1])]
    return given[-1] if given and len(agreeing) >= wanted else None


def is_disputed(opinions: Sequence[Opinion]) -> bool:
    """Whether as many have judged as are asked, and no two agree."""
    return len(standing(opinions)) >= OPINIONS_MAX


def _alike(one: Opinion, other: Opinion) -> bool:
    return (one.verdict, one.answer) == (other.verdict, other.answer)


def why_not_undone(
    case: Case, opinions: Sequence[Opinion], person: str, now: datetime, seconds: int
) -> Conflict | None:
    """Why this person cannot take back the newest opinion; None where they can."""
    given = standing(opinions)
    if case.state not in ("open", "leased", "approved", "corrected", "rejected"):
        return Conflict(f"Case {case.id} is {case.state}; its verdicts stand as they are.", "Write a comment on it.")
    if not given or given[-1].person != person:
        return Conflict(f"The newest verdict on case {case.id} is not yours.", "Write a comment on the case.")
    if now - given[-1].at > timedelta(seconds=seconds):
        return Conflict(
            f"A verdict can be taken back for {seconds} seconds; yours on case {case.id} is older.",
            "Write a comment on the case; whoever asked about it sees it there.",
        )
    if case.state == "leased":
        return Conflict(f"{case.leased_to} is judging case {case.id} now.", "Write a comment on the case.")
    return None


def answer_after(verdict: Verdict, given: Said | None, corrected: Said | None, reason: str) -> Said | None:
    """The answer that holds after a verdict: the given one, the corrected one, or none.

    Raises:
        InvalidRequest: the verdict does not say what it must; every mistake is named.
    """
    problems = [*_verdict_problems(verdict, given, corrected), *reason_problems(verdict, reason)]
    if problems:
        raise InvalidRequest("The verdict is not complete.", problems=problems)
    return {"approved": given, "corrected": corrected, "rejected": None}[verdict]


def read_answer(kind: OutcomeKind, written: str, categories: Collection[str]) -> Said | None:
    """What a reviewer wrote as the right answer: yes or no, one of the categories, a number; None for nothing.

    Raises:
        InvalidRequest: it is none of these.
    """
    text = written.strip()
    if not text:
        return None
    if kind == "flag" and text in ("yes", "no"):
        return text == "yes"
    if kind == "category" and text in categories:
        return text
    if kind == "number" and _NUMBER.fullmatch(text):
        return float(text)
    wanted = {"flag": "yes or no", "category": "one of the categories", "number": "a number such as 12.5"}[kind]
    raise InvalidRequest("The verdict is not complete.", problems=[Problem("answer", f"must be {wanted}.")])


def _verdict_problems(verdict: Verdict, given: Said | None, corrected: Said | None) -> list[Problem]:
    if verdict not in get_args(Verdict):
        return [Problem("verdict", f"must be approved, corrected or rejected (got {verdict!r}).")]
    if verdict == "approved" and given is None:
        return [Problem("verdict", "There is no answer to approve.", "Correct the case or reject it.")]
    if verdict == "approved" and corrected not in (None, given):
        return [Problem("answer", "Approved, and yet another answer is said to be right.", "Correct, or leave it out.")]
    if verdict == "corrected" and corrected is None:
        return [Problem("answer", "A correction must say what is right instead.")]
    if verdict == "corrected" and corrected == given:
        return [Problem("answer", "This is the answer already given.", "Approve it instead.")]
    return []


def reason_problems(verdict: Verdict, reason: str) -> list[Problem]:
    """A verdict against the given answer needs a reason; no reason is longer than its column."""
    if len(reason) > NOTE_CHARACTERS_MAX:
        return [Problem("reason", f"must be at most {NOTE_CHARACTERS_MAX} characters (got {len(reason)}).")]
    if verdict != "approved" and not reason.strip():
        return [Problem("reason", "must say why.", "Pick one from the list or write one.")]
    return []
