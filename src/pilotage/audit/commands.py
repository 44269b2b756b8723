"""Commands of the audit."""

from __future__ import annotations

from pilotage.platform.terminal import Terminal
from pilotage.platform.workspace import opened


def audit(use_case: str | None = None, *, json: bool = False) -> None:
    """Answer the seven questions about the data; exits with 1 when a finding blocks."""
    from pilotage.audit import flow
    from pilotage.audit.rules.wording import sentence
    from pilotage.usecase import flow as defining

    terminal = Terminal(json)
    with opened() as work:
        definition = defining.find(work, use_case)
        report = flow.run(work, definition)
    found = [(f.severity, f.source, f"{f.code}: {f.message} {f.repair}", f.owner) for f in report.findings]
    terminal.table("Findings", ("severity", "source", "finding and repair", "owner"), found)
    answered = [(answer.question, answer.answer, answer.how) for answer in report.answers]
    terminal.table("Seven questions", ("question", "answer", "how"), answered)
    terminal.say(sentence(report))
    terminal.document(report)
    if report.blocked:
        raise SystemExit(1)
    terminal.next(f"pilotage build {definition.name}")
