"""The commands of deciding: one question, and whether the record is whole."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from pilotage.decisions import flow
from pilotage.decisions.records import Answer
from pilotage.govern.records import SYSTEM
from pilotage.models.explaining import rounded
from pilotage.platform.errors import NotFound
from pilotage.platform.terminal import Terminal
from pilotage.platform.workspace import opened
from pilotage.usecase import flow as defining

Machine = Annotated[bool, Parameter(name="--json", help="Print JSON for machines.")]


def decide(use_case: str | None = None, *, file: Path | None = None, json: Machine = False) -> None:
    """Answer one question: a JSON object from --file or standard input, recorded like one from the app."""
    terminal = Terminal(json)
    if file is not None and not file.exists():
        raise NotFound(f"{file} does not exist.", "Give a file with one JSON object, or pipe the object in.")
    body = file.read_bytes() if file else sys.stdin.buffer.read()
    with opened() as work:
        answer = flow.decide(work, defining.find(work, use_case), body, SYSTEM)
    terminal.say(f"{answer.entity}: {answer.action}. {answer.because}{_how_sure(answer)} Recorded as {answer.id}.")
    for signal in answer.signals:
        terminal.say(f"  {signal['sentence']}")
    terminal.document(answer)


def verify(*, json: Machine = False) -> None:
    """Verify the audit log and every decision batch that it vouches for."""
    terminal = Terminal(json)
    with opened() as work:
        found = flow.verify_recorded(work)
    terminal.say(f"{found.message} Entries: {found.entries:,}, checkpoints: {found.checkpoints}, root: {found.root}.")
    terminal.document(found)
    if not found.valid:
        raise SystemExit(1)


def _how_sure(answer: Answer) -> str:
    if answer.probability is not None:
        return f" The chance is {answer.probability:.0%} ({answer.band})."
    if answer.confidence is not None:
        return f" It is {answer.confidence:.0%} sure."
    if answer.low is not None and answer.high is not None:
        return f" In 9 of 10 cases it lies between {rounded(answer.low)} and {rounded(answer.high)}."
    return ""
