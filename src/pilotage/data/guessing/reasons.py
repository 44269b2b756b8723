"""Why each guessed place of a draft says what it says, apart from what only a person can say."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from pilotage.data.guessing.clocks import is_version_clock
from pilotage.data.guessing.project import Project
from pilotage.data.guessing.records import SeenColumn
from pilotage.usecase.records import OutcomeKind

QUESTIONS = {
    "owner": "Who answers for this use case?",
    "brief.workflow": "How is this work done today?",
    "brief.users": "Who acts on the answer?",
    "brief.decision": "What is decided, and when?",
    "brief.kpi": "What does the business count?",
    "outcome.says": "What does it mean when this is true?",
    "rule.says": "What is done today? Until somebody says so, nothing is done",
    "policy.actions": "What is done when it is likely?",
}
"""What nobody can see in data, as a draft asks it in the place of the answer, where the outcome is yes or no."""
KEYS: dict[OutcomeKind, str] = {"flag": "positive", "category": "category", "number": "number"}
_OTHERWISE = {
    "outcome.says": "What does it say of a case?",
    "rule.says": "What is done today? Until somebody says so, every case is answered alike",
}
_WORTH: dict[OutcomeKind, tuple[str, str]] = {
    "flag": (
        "what a caught case is worth, and what a false alarm costs, only you know",
        "What is a caught case worth, and what does a false alarm cost?",
    ),
    "category": (
        "what a right answer is worth, and what a wrong one costs, only you know",
        "What is a right answer worth, and what does a wrong one cost?",
    ),
    "number": (
        "what it costs per unit that an answer lies too low or too high, only you know",
        "What does it cost, per unit, when an answer lies too low, and when too high?",
    ),
}
_USUAL: dict[OutcomeKind, str] = {
    "flag": "what is done today is not in the data",
    "category": "the most frequent one of the rows looked at; what is done today is not in the data",
    "number": "the middle of the rows looked at; what is done today is not in the data",
}
NO_OUTCOME = (
    "Nothing in these tables looks like an outcome: what stands under `outcome` only stands in for one, so that the "
    "data can be audited. Say what is to be predicted, or bring the table that says what happened."
)
ONLY_A_FLAG = (
    "Nothing in these tables is named like an outcome: what stands under `outcome` is a column of true and false, and "
    "may say anything. Say what is to be predicted, or bring the table that says what happened."
)
NO_CLOCK = (
    "No column says when a case happened. Without a clock no later data show whether a model still holds. Bring a "
    "column with the date of each case, such as when it was ordered, opened or measured, and better also one that says "
    "when the row was written. Without one, leave `static: true` and say in `decision.judged` which cases judge the "
    "candidates, such as split = 'test': only so can a model be trained."
)
_DATE = re.compile(r"\d{1,4}([./-])\d{1,2}\1\d{1,4}(?!\d)", re.ASCII)
_ASKED = "only a person can say this"


def questions_of(kind: OutcomeKind) -> dict[str, str]:
    """Place in the file → what is asked there. Of a category and a number actions are optional, and left out."""
    if kind == "flag":
        return QUESTIONS
    return {place: _OTHERWISE.get(place, asked) for place, asked in QUESTIONS.items() if place != "policy.actions"}


def reasons_of(project: Project) -> dict[str, str]:
    """Place in the file → why it says what it says, in the order in which a person should look at them."""
    return dict([*_of_persons(project), *_of_the_case(project), *_of_sources(project)])


def warnings_of(project: Project) -> tuple[str, ...]:
    """What keeps the draft from becoming a model whatever is confirmed: no outcome to be seen, no clock."""
    found = [] if project.label.named else [ONLY_A_FLAG if project.label.is_flag else NO_OUTCOME]
    found += unread_dates(project)
    return (*found, NO_CLOCK) if project.decision.clocks is None else tuple(found)


def unread_dates(project: Project) -> list[str]:
    """Of tables without a clock, the texts that look like dates: another table may stand as the decision's for it."""
    found = []
    for source in (each for each in project.sources if each.clocks is None):
        shown = {c.name: c.common[0][0] for c in source.table.columns if c.type == "text" and _look_like_dates(c)}
        if shown:
            columns = ", ".join(f"{name} ('{text}')" for name, text in shown.items())
            found.append(
                f"{source.table.name} is taken as static, because {columns} look like dates and could not be read as "
                f"such; cases are rows of {project.decision.table.name} for now. Have them delivered as dates, in "
                "files written YYYY-MM-DD HH:MM:SS, of a database through a view that casts them, and draft again; or "
                "name them in `event_time` and `known_at` of the source, and it in `decision.source`."
            )
    return found


def _look_like_dates(column: SeenColumn) -> bool:
    return bool(column.common) and all(_DATE.match(text) for text, _ in column.common)


def by_reason(left_out: Mapping[str, str]) -> dict[str, list[str]]:
    """The names that are left out for each reason."""
    found: dict[str, list[str]] = {}
    for name, why in left_out.items():
        found.setdefault(why, []).append(name)
    return found


def needed(project: Project) -> tuple[str, ...]:
    """The questions that a person has to answer, in words."""
    questions = questions_of(project.label.kind)
    asked = [question for place, question in questions.items() if place not in ("rule.says", "policy.actions")]
    return (*asked, _WORTH[project.label.kind][1], "How are cases decided today?")


def doubtful(project: Project) -> tuple[str, ...]:
    """What was guessed and is often wrong, in words."""
    found = ["decision.request: take out what is known only after the decision."]
    found.append("outcome.matures: it says 1 day; how long an outcome takes was not looked at.")
    one_clock = [s.table.name for s in project.sources if s.clocks and s.clocks[0].value == s.clocks[1].value]
    if one_clock:
        found.append(f"known_at of {', '.join(one_clock)}: no column says when a row was written.")
    static = [s.table.name for s in project.sources if s.clocks is None]
    if static:
        found.append(f"static of {', '.join(static)}: no column could be a clock, so nothing has a date.")
    if project.moment and is_version_clock(project.decision.table, project.moment):
        name = project.decision.table.name
        found.append(
            f"decision.moment: rows of {name} are overwritten, and what stood in them before {project.moment} is not "
            "kept. A case counts as decided then; name a better time if there is one."
        )
    elif project.moment:
        found.append(f"decision.moment: a case is decided when {project.moment} says; before, its row was not there.")
    return tuple(found)


def _of_persons(project: Project) -> Iterator[tuple[str, str]]:
    kind = project.label.kind
    for place in questions_of(kind):
        if place != "rule.says":
            yield place, _ASKED
    yield "brief.value", _WORTH[kind][0]
    yield f"rule.{KEYS[kind]}", _USUAL[kind]
    if kind != "flag":
        yield "policy.default", _USUAL[kind]


def _of_the_case(project: Project) -> Iterator[tuple[str, str]]:
    yield "decision.source", "the table of the outcome, or the one with the same key whose rows come first"
    yield "decision.entity", project.entity.why
    yield "decision.request", "all columns of the row but those left out; some may be known only after the decision"
    if project.moment:
        yield "decision.moment", "when the row is written; before, nothing could be decided"
    yield f"outcome.{KEYS[project.label.kind]}", project.label.why
    yield "outcome.matures", "how long an outcome takes was not looked at"
    if project.groups:
        yield "groups", "these columns are named like protected groups"


def _of_sources(project: Project) -> Iterator[tuple[str, str]]:
    for source in project.sources:
        name = f"sources.{source.table.name}"
        yield f"{name}.key", source.key.why
        if source.table.rest is not None:
            yield f"{name}.rest", "guessed from the first answer: where the list lies, and how pages are asked for"
        if source.table.decimal:
            yield f"{name}.decimal", f"so that {_listed(source.table.read_so)} are read as numbers"
        if source.table.missing:
            concerned = _listed(source.table.read_so)
            yield f"{name}.missing", f"texts among the numbers or dates of {concerned}; columns of text keep them"
        if source.deleted:
            yield f"{name}.deleted", "named like a mark that the row is gone"
        if source.clocks is None:
            yield f"{name}.static", "no column could be a clock"
            continue
        for clock, guess in zip(("event_time", "known_at"), source.clocks, strict=True):
            yield f"{name}.{clock}", guess.why


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
