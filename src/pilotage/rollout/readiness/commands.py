"""Commands of readiness: the scorecard of one use case, the ranking of all."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from pilotage.monitor import lately
from pilotage.platform.terminal import Terminal
from pilotage.platform.workspace import opened
from pilotage.rollout.readiness import flow
from pilotage.rollout.readiness.rules import markdown as documents
from pilotage.rollout.readiness.rules.ranking import WORDS
from pilotage.usecase import flow as defining

Machine = Annotated[bool, Parameter(name="--json", help="Print JSON for machines.")]
AsMarkdown = Annotated[bool, Parameter(name="--markdown", help="Print the document as Markdown, to send.")]


def readiness(use_case: str | None = None, *, markdown: AsMarkdown = False, json: Machine = False) -> None:
    """Print the readiness scorecard: what is there, what is missing, what turns each row green."""
    terminal = Terminal(json)
    with opened() as work, lately.anew():
        card = flow.readiness(work, defining.find(work, use_case))
    if markdown and not json:
        terminal.say(documents.of_scorecard(card).rstrip())
        return
    rows = [(row.area, documents.LIGHTS[row.light], row.says, row.repair) for row in card.rows]
    terminal.table(f"Readiness of {card.use_case}", ("Area", "Stands", "What came", "What turns it green"), rows)
    terminal.say(card.sentence)
    for lint in card.lints:
        terminal.say(f"line {lint.line}: {lint.message} {lint.remedy}")
    terminal.document(card)


def rank(*, markdown: AsMarkdown = False, json: Machine = False) -> None:
    """Rank all use cases of the installation: which to build first, and whether each is worth machine learning."""
    terminal = Terminal(json)
    with opened() as work, lately.anew():
        places = flow.ranking_of(work, defining.definitions(work))
    if markdown and not json:
        terminal.say(documents.of_ranking(places).rstrip())
        return
    rows = [(number, each.use_case, WORDS[each.worth], each.because) for number, each in enumerate(places, 1)]
    if rows:
        terminal.table("Use cases", ("", "Use case", "Worth ML?", "Because"), rows)
        terminal.say(f"{places[0].use_case} comes first: {places[0].because} {places[0].next}")
        terminal.next(f"pilotage readiness {places[0].use_case}")
    else:
        terminal.say("No use case is adopted yet: there is nothing to rank.")
        terminal.next("pilotage sync FILE")
    terminal.document(places)
