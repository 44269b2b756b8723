"""The table of hits and false alarms, written between two marks of ``docs/reference/audit.md``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tests.proof.planting.batches import BATCHES, Planting

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "audit.md"
BEGIN, END = "<!-- planted faults: begin -->", "<!-- planted faults: end -->"


def written(plantings: Sequence[Planting], alarms_on_clean: dict[int, Sequence[str]]) -> None:
    """Put the table of these plantings into the page, which keeps the rest of its text."""
    head, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
    _, _, tail = rest.partition(END)
    PAGE.write_text(f"{head}{BEGIN}\n{table(plantings, alarms_on_clean)}\n{END}{tail}", "utf-8")


def table(plantings: Sequence[Planting], alarms_on_clean: dict[int, Sequence[str]]) -> str:
    """Markdown: a row per kind, then what was said aloud beside the faults, then the clean months."""
    lines = ["| Kind | Planted as | Rate | Severity wanted | Named |", "| --- | --- | --- | --- | ---: |"]
    for fault in (fault for batch in BATCHES for fault in batch):
        seen = [one.named[fault.kind] for one in plantings if fault.kind in one.named]
        rate = "1, 2, 3, 5 %" if fault.rated else "a step"
        wanted = "none: a known limit" if fault.limit else ("warns or blocks" if fault.high else "any")
        lines.append(f"| {fault.kind} | {fault.says} | {rate} | {wanted} | {sum(seen)} of {len(seen)} |")
    beside = Counter(told for one in plantings for told in one.beside)
    said = "; ".join(f"{told} ({n})" for told, n in beside.most_common()) or "nothing"
    lines += ["", f"Warned or blocked beside what was planted, in {len(plantings)} audits with planted faults: {said}."]
    clean = {month: alarms for month, alarms in alarms_on_clean.items() if alarms}
    months = ", ".join(f"{month}/2013" for month in alarms_on_clean)
    false = "; ".join(f"{month}/2013: {', '.join(alarms)}" for month, alarms in clean.items()) or "none"
    lines += ["", f"False alarms (blocks or warns) on the clean months {months}: {false}."]
    return "\n".join(lines)
