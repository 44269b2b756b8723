"""Scorecard and ranking as Markdown, to send and to keep beside the brief."""

from __future__ import annotations

from collections.abc import Sequence

from pilotage.rollout.readiness.records import Light, Rank, Scorecard
from pilotage.rollout.readiness.rules.ranking import WORDS

LIGHTS: dict[Light, str] = {"green": "ready", "yellow": "under way", "red": "missing"}


def of_scorecard(card: Scorecard) -> str:
    """The scorecard with a table of its rows and a list of the known mistakes."""
    lines = [f"# Readiness: {card.title}", "", card.sentence, ""]
    lines += ["| area | stands | what came | what turns it green |", "| --- | --- | --- | --- |"]
    lines += [
        f"| {_cell(row.area)} | {LIGHTS[row.light]} | {_cell(row.says)} | {_cell(row.repair) or '–'} |"
        for row in card.rows
    ]
    if card.lints:
        lines += ["", "## Known ways to fail", ""]
        lines += [f"- {_cell(lint.message)} {_cell(lint.remedy)} ({lint.id}, line {lint.line})" for lint in card.lints]
    lines += ["", f"Owner {card.owner}; use case `{card.use_case}`, as of {card.at:%Y-%m-%d %H:%M} UTC."]
    return "\n".join(lines) + "\n"


def of_ranking(places: Sequence[Rank]) -> str:
    """The candidates, the best first, each with its reasons."""
    lines = ["# Ranking of use cases", ""]
    for number, each in enumerate(places, 1):
        lines += [f"## {number}. {_cell(each.title)}", ""]
        lines += [f"**{WORDS[each.worth]}.** {_cell(each.because)} {_cell(each.next)}", ""]
        lines += [*(f"- {_cell(reason)}" for reason in each.reasons), ""]
    return "\n".join(lines).rstrip() + "\n"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
