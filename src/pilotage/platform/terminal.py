"""What a command prints: one sentence, one table, the next command; or JSON for machines."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec


class Terminal:
    """Where commands write. ``machine`` prints one JSON document instead of words."""

    def __init__(self, machine: bool = False) -> None:
        self.machine = machine

    def say(self, sentence: str) -> None:
        """One plain sentence; to the error stream when a machine reads the output."""
        print(sentence, file=sys.stderr if self.machine else sys.stdout, flush=True)

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """A table, numbers to the right."""
        if self.machine:
            return
        from rich.console import Console
        from rich.table import Table

        table = Table(title=title, title_justify="left", header_style="bold")
        for number, name in enumerate(columns):
            numeric = all(isinstance(row[number], (int, float)) for row in rows) and bool(rows)
            table.add_column(name, justify="right" if numeric else "left", overflow="fold")
        for row in rows:
            table.add_row(*(_cell(value) for value in row))
        Console(width=None if sys.stdout.isatty() else 140, markup=False, emoji=False).print(table)

    def document(self, value: Any) -> None:
        """The whole result, printed only for machines."""
        if self.machine:
            print(msgspec.json.format(msgspec.json.encode(value), indent=2).decode(), flush=True)

    def next(self, command: str) -> None:
        """The command that comes next on the way."""
        if not self.machine:
            print(f"Next: {command}", flush=True)


def typed(path: Path) -> Path:
    """A path as one would type it here: from the present directory, where it lies below that."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.3f}" if abs(value) < 100 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
