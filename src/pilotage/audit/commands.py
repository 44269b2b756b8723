"""Commands of the audit, and of the schemas that machines read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from pilotage.audit.records import AuditReport, Comparison
from pilotage.platform.terminal import Terminal, typed
from pilotage.platform.workspace import Workspace, opened
from pilotage.usecase.records import Definition

_Some = Annotated[list[str] | None, Parameter(consume_multiple=True, negative="")]


def audit(
    use_case: str | None = None,
    *,
    report: Path | None = None,
    compare: _Some = None,
    history: bool = False,
    latest: bool = False,
    apply: Literal["columns", "contract", "removals", "answers"] | None = None,
    only: _Some = None,
    dry_run: bool = False,
    json: bool = False,
) -> None:
    """Answer the seven questions about the data; exits with 1 when a finding blocks.

    Parameters
    ----------
    report
        Write the report to this file, too: one HTML page that prints well and needs nothing from outside.
    compare
        Compare with the audit before, or with that of an identifier or of a day such as 2026-06-03.
    history
        Show the maturity of the data from audit to audit; measures nothing.
    latest
        Use the newest audit that was kept; measures nothing.
    apply
        Write a part of the newest audit's build plan into the project's files; measures nothing.
    only
        With --apply: only the parts of these names.
    dry_run
        With --apply: print what would change, write nothing.
    """
    from pilotage.usecase import flow as defining

    terminal = Terminal(json)
    with opened() as work:
        if apply:
            _apply(terminal, work, _named(work, use_case), apply, only or [], dry_run)
            return
        definition = defining.find(work, use_case)
        if history:
            _history(terminal, work, definition)
            return
        defining.say_if_changed(work, definition, terminal.say)
        found = _newest(work, definition) if latest else _run(work, definition)
        comparison = _compared(work, found, compare)
        if report:
            _write(work, found, comparison, report)
    _print(terminal, found, comparison, compare is not None)
    if report:
        terminal.say(f"The report is in {report}.")
    if found.blocked:
        raise SystemExit(1)
    if definition.use_case.guessed:
        terminal.say("Next: read each line under `guessed` in the file, correct its place, remove the line, and sync.")
    elif lacking := _lacking(found):
        terminal.say(f"Next: sync more history. {lacking[:1].upper()}{lacking[1:]}.")
    else:
        terminal.next(f"pilotage build {definition.name}")


def _run(work: Workspace, definition: Definition) -> AuditReport:
    from pilotage.audit import flow

    return flow.run(work, definition)


def _newest(work: Workspace, definition: Definition) -> AuditReport:
    from pilotage.audit import flow

    return flow.newest(work, definition.name)


def _compared(work: Workspace, found: AuditReport, compare: list[str] | None) -> Comparison | None:
    from pilotage.audit import flow

    return flow.compared_with(work, found, " ".join(compare or []))


def _write(work: Workspace, found: AuditReport, comparison: Comparison | None, place: Path) -> None:
    from pilotage.audit import flow

    flow.write_report(found, comparison, flow.history(work, found.use_case), place)


def _print(terminal: Terminal, found: AuditReport, comparison: Comparison | None, wanted: bool) -> None:
    from pilotage.audit.rules import wording
    from pilotage.audit.rules.causes import by_cause
    from pilotage.audit.rules.comparing import in_words

    groups = by_cause(found.findings)
    findings = [(g[0].severity, wording.in_one(g), wording.stake(g[0], found.quick_auc), g[0].owner) for g in groups]
    terminal.table("Findings", ("severity", "finding and repair", "at stake", "owner"), findings)
    answered = [(a.question, a.answer, a.how, wording.colour_words(a)) for a in found.answers]
    terminal.table("Seven questions", ("question", "answer", "how", "colour"), answered)
    if comparison and wanted:
        terminal.table("Changes", ("change", "finding", "figures"), _rows(comparison))
    terminal.say(wording.sentence(found))
    if found.maturity:
        terminal.say(f"Data maturity: {found.maturity.overall:.0f} of 100.")
    if comparison:
        terminal.say(in_words(comparison))
    elif wanted:
        terminal.say("There is no audit before this one to compare with.")
    terminal.document({"report": found, "comparison": comparison} if wanted else found)


def _lacking(found: AuditReport) -> str:
    from pilotage.audit.rules.wording import lacking_outcomes

    return lacking_outcomes(found)


def _rows(comparison: Comparison) -> list[tuple[str, str, str]]:
    kinds = ("worse", "new", "better", "gone")
    return [(kind, change.id, change.says) for kind in kinds for change in getattr(comparison, kind)]


def _history(terminal: Terminal, work: Workspace, definition: Definition) -> None:
    from pilotage.audit import flow

    points = flow.history(work, definition.name)
    rows = [
        (f"{p.made_at:%Y-%m-%d %H:%M}", f"{p.overall:.1f}", p.blocks, p.warns, _weakest(p.dimensions), p.id)
        for p in points
    ]
    terminal.table("Data maturity", ("audit (UTC)", "of 100", "blocks", "warns", "weakest", "id"), rows)
    terminal.say(f"{len(points)} {'audit' if len(points) == 1 else 'audits'} of {definition.name} kept.")
    terminal.document(points)
    terminal.next(f"pilotage audit {definition.name}")


def _weakest(dimensions: dict[str, float]) -> str:
    name = min(dimensions, key=dimensions.__getitem__)
    return f"{name} {dimensions[name]:.0f}"


def _apply(
    terminal: Terminal,
    work: Workspace,
    definition: Definition,
    piece: Literal["columns", "contract", "removals", "answers"],
    only: list[str],
    dry_run: bool,
) -> None:
    from pilotage.audit import flow
    from pilotage.usecase import flow as defining

    changes = flow.edits(work, definition, piece, only)
    if not dry_run:
        flow.apply(work, definition, changes)
    if not changes:
        terminal.say(f"Nothing to apply: {_NOTHING[piece]}")
    for change in changes:
        terminal.say(change.difference.rstrip() if dry_run else f"Wrote {typed(change.path)}.")
    terminal.document(
        [{"file": str(change.path), "difference": change.difference, "written": not dry_run} for change in changes]
    )
    if dry_run and changes:
        terminal.next(f"pilotage audit {definition.name} --apply {piece}")
    elif changes and (file := defining.file_of(work, definition.name)):
        terminal.next(f"pilotage sync {typed(file)}")


_NOTHING = {
    "columns": "the newest audit proposes no input that the file does not have.",
    "contract": "every source has a contract file.",
    "removals": "no input of the file is known to leak.",
    "answers": "every question stands in the file under answers.",
}


def _named(work: Workspace, use_case: str | None) -> Definition:
    """The adopted use case of this name, or of this file, which earlier applications may have changed since."""
    from pilotage.usecase import flow as defining

    path = defining.path_in(use_case)
    if path is None:
        return defining.find(work, use_case)
    return defining.find_adopted(work, defining.read_definition(path).name)


def schema(of: Literal["use-case", "contract", "audit"] = "use-case") -> None:
    """Print a JSON Schema: of use-case files and contracts for editors, of audit reports for machines."""
    Terminal(machine=True).document(_SCHEMAS[of]())


def _of_use_case() -> dict[str, Any]:
    from pilotage.usecase.rules.schema import json_schema

    return json_schema()


def _of_contract() -> dict[str, Any]:
    from pilotage.data.contracts.schema import json_schema

    return json_schema()


def _of_audit() -> dict[str, Any]:
    from pilotage.audit.rules.schema import json_schema

    return json_schema()


_SCHEMAS: dict[str, Callable[[], dict[str, Any]]] = {
    "use-case": _of_use_case,
    "contract": _of_contract,
    "audit": _of_audit,
}
