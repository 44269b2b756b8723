"""The command that measures parity: past rows asked live, or live answers joined again."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from pilotage.decisions import parity as measuring
from pilotage.decisions.parity.records import Rejoined
from pilotage.platform.errors import EvidenceMissing
from pilotage.platform.terminal import Terminal
from pilotage.platform.workspace import Workspace, opened
from pilotage.releases import flow as releasing
from pilotage.releases.records import ColumnParity, LiveParity, Version
from pilotage.releases.rules import differing, in_words
from pilotage.usecase import flow as defining
from pilotage.usecase.records import Definition

Machine = Annotated[bool, Parameter(name="--json", help="Print JSON for machines.")]


def parity(
    use_case: str | None = None, *, version: int | None = None, live: bool = False, json: Machine = False
) -> None:
    """Ask past rows of a version's training set through the live path; fails when it answers otherwise than trained.

    Parameters
    ----------
    version
        The version's number; the live one, else the newest, when absent.
    live
        Instead, hold a sample of the newest day's answers against the columns that training would make for them now.
    """
    terminal = Terminal(json)
    with opened() as work:
        definition = defining.find(work, use_case)
        if live:
            passed = _say_rejoined(terminal, definition, measuring.rejoin(work, definition))
        else:
            chosen = _version(work, definition, version)
            passed = _say_replayed(terminal, definition, chosen, measuring.replay(work, definition, chosen))
    if not passed:
        raise SystemExit(1)


def _version(work: Workspace, definition: Definition, number: int | None) -> Version:
    if number is not None:
        return releasing.version_number(work, definition.name, number)
    live, known = releasing.live(work, definition.name), releasing.versions(work, definition.name)
    if not known:
        raise EvidenceMissing(f"{definition.name} has no version yet.", f"Run pilotage release {definition.name}.")
    return next((each for each in known if each.id == live.version), known[0])


def _say_replayed(terminal: Terminal, definition: Definition, version: Version, found: LiveParity) -> bool:
    terminal.say(f"Version {version.number} of {definition.name} ({version.candidate}): {in_words(found)}")
    terminal.say(
        f"{found.near:,} of the rows lie next to where the decision changes; scores differ by "
        f"{found.score_difference_max:g} at most. It took {found.seconds:.1f} s."
    )
    if found.unasked:
        terminal.say(f"{found.unasked:,} chosen rows were not asked: the model took too long for all.")
    if found.elsewhere:
        names = ", ".join(found.elsewhere)
        terminal.say(f"Asked of the snapshots, where live asks a database: {names}. --live compares what that answers.")
    for field, count in found.refused.items():
        terminal.say(f"{count:,} more rows could not be asked: the contract of requests refuses their {field}.")
    _columns(terminal, found.differing)
    terminal.document({"version": version.number, "passed": found.passed, "parity": found})
    return found.passed


def _say_rejoined(terminal: Terminal, definition: Definition, found: Rejoined | None) -> bool:
    if found is None:
        raise EvidenceMissing(
            f"{definition.name} has no answers of the newest day whose sources were read since.",
            "Let the app ask, and sync the sources; then measure again.",
        )
    terminal.say(
        f"{found.compared:,} of {found.decisions:,} answers about {found.since:%Y-%m-%d %H:%M} to "
        f"{found.until:%Y-%m-%d %H:%M}: {found.share_same:.1%} stand on exactly the columns of training. "
        f"It took {found.seconds:.1f} s."
    )
    if found.without_columns:
        terminal.say(f"{found.without_columns:,} more were answered without columns.")
    _columns(terminal, found.differing)
    terminal.document(found)
    return not found.differing


def _columns(terminal: Terminal, columns: tuple[ColumnParity, ...]) -> None:
    rows = [(each.column, each.mismatch, each.missing, each.extra, f"{each.share:.2%}") for each in columns]
    if rows:
        terminal.table("Columns that differ", ("column", "other value", "missing live", "only live", "share"), rows)
    for each in columns:
        terminal.say(f"{each.column} {differing(each)}")
