"""The commands of modelling."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from pilotage.data import flow as data
from pilotage.data.rules.holdouts import times_judged_said
from pilotage.models import flow
from pilotage.models.records import Comparison
from pilotage.models.rules import closer, wording
from pilotage.models.rules.cards import plain
from pilotage.models.rules.cards.card import sections
from pilotage.models.rules.cards.metadata import metadata
from pilotage.models.rules.following import following
from pilotage.models.rules.measures import MEASURES
from pilotage.platform.errors import EvidenceMissing
from pilotage.platform.terminal import Terminal
from pilotage.platform.workspace import opened
from pilotage.usecase import flow as defining
from pilotage.usecase.records import Definition

Machine = Annotated[bool, Parameter(name="--json", help="Print JSON for machines.")]


def train(use_case: str | None = None, *, json: Machine = False) -> None:
    """Train every candidate and compare them with the rule on time that none of them has seen."""
    terminal = Terminal(json)
    with opened() as work:
        definition = defining.find(work, use_case)
        defining.say_if_changed(work, definition, terminal.say)
        comparison = flow.train_and_compare(work, definition, terminal.say)
        _show(terminal, definition, comparison, data.times_judged(work, comparison.id))


def compare(use_case: str | None = None, *, json: Machine = False) -> None:
    """Print the newest comparison of the rule and the candidates."""
    terminal = Terminal(json)
    with opened() as work:
        definition = defining.find(work, use_case)
        comparison = flow.latest_comparison(work, definition.name)
        if comparison is None:
            raise EvidenceMissing(
                f"{definition.name} has no comparison yet.", f"Run pilotage train {definition.name} first."
            )
        evidence = defining.latest_evidence(work, definition.name, flow.COMPARISON)
        stale = evidence is not None and evidence.definition != definition.substance
        _show(terminal, definition, comparison, data.times_judged(work, comparison.id), stale)


def card(
    use_case: str | None = None, *, candidate: str | None = None, out: Path | None = None, json: Machine = False
) -> None:
    """Print the model card of the recommended candidate, or of another: Markdown with a head for the Hub."""
    terminal = Terminal(json)
    with opened() as work:
        subject = flow.subject_of(work, defining.find(work, use_case), candidate)
        text = flow.card_text(subject)
    if out is not None:
        out.write_text(text, encoding="utf-8")
        terminal.say(f"{out} holds the card of {subject.measured.title.lower()}.")
    elif not json:
        terminal.say(text.rstrip())
    terminal.document(
        {"metadata": metadata(subject), "sections": sections(subject), "questions": plain.sentences(subject)}
    )


def _show(
    terminal: Terminal, definition: Definition, comparison: Comparison, times_judged: int, stale: bool = False
) -> None:
    rows = [
        (
            one.title + (" ◀" if one.candidate == comparison.recommended else ""),
            wording.interval(one.money, 0),
            *wording.figures(one, comparison.kind),
            f"{one.latency_us:.0f}",
            wording.size(one.size_bytes),
        )
        for one in comparison.candidates
    ]
    money = f"{comparison.currency} per 1,000"
    names = (money, *(measure.heading for measure in MEASURES[comparison.kind]), "µs a row", "size")
    same = wording.same(comparison)
    if same is not None:
        rows.append((f"Without a model: {same.title}", wording.interval(same.money, 0), *(len(names) - 1) * ("",)))
    terminal.table(f"{definition.use_case.title}: the rule and the candidates", ("candidate", *names), rows)
    if comparison.differences:
        apart = [(wording.name(comparison, one.candidate), *wording.against(one)) for one in comparison.differences]
        terminal.table("More than the rule, on the same days", ("candidate", money, "p", "p, all tried"), apart)
    if not terminal.machine:
        terminal.say(wording.grounds(comparison))
        if times_judged:
            terminal.say(times_judged_said(times_judged))
        closer_told = [closer.searched(comparison, one) for one in comparison.searches] + closer.in_short(comparison)
        told = (wording.same_answers(comparison), *wording.refusals(comparison), *closer_told, *comparison.cautions)
        for sentence in told:
            if sentence:
                terminal.say(sentence)
        terminal.say(f"Verdict: {wording.VERDICTS[comparison.verdict].lower()}.")
        terminal.say(comparison.reason)
    terminal.document(comparison)
    terminal.next(following(comparison, stale))
