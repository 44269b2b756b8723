"""What was measured of each promise: kept in ``promises.json`` while the long versions run, printed as a table after.

``python -m tests.promises.table`` prints it and fails where a promise does not hold or was not measured.
"""

from __future__ import annotations

import json
import sys
import textwrap
from pathlib import Path
from typing import Protocol, TypedDict

FILE = Path(__file__).parents[2] / "promises.json"
PROMISES = {
    1: "A usable answer with any one dependency down",
    2: "Never later than the caller's deadline",
    3: "Overload: goodput, quick refusals, flat memory",
    4: "Swap and roll back: none failed, none of two versions",
    5: "The switch reaches every worker",
    6: "Acknowledged means durable",
    7: "Idempotency keys",
    8: "Outcomes have one effect each",
    9: "Changes to the audit log are found",
    10: "Artefacts run nothing and are whole",
    11: "Access: no route without a policy, no foreign read",
    12: "Embed tokens are short and narrow",
    13: "Secrets are nowhere",
    18: "Review: one verdict each, none by waiting",
    20: "Training and live agree",
}
"""Those that have a test in this folder: number, and what is promised in a few words."""
WIDTHS = (3, 30, 70, 11, 12)


class Part(TypedDict):
    """What one test says of a promise; ``what`` tells parts of one promise apart."""

    what: str
    figure: str
    n: int
    passed: bool


class Promise(Protocol):
    """Says what a test measured of a promise."""

    def __call__(self, number: int, *, figure: str, n: int, passed: bool, what: str = "") -> None:
        """Print it, keep it for the table, and fail the test where the promise does not hold."""


def report(number: int, test: str, part: Part, file: Path = FILE) -> None:
    """Put down what a test found; a shorter test of the same part gives way to the one with more trials."""
    book = _read(file)
    book.setdefault(number, {}).setdefault(test, []).append(part)
    _write(file, book)


def forget(number: int, test: str, file: Path = FILE) -> None:
    """A test runs again: what it said before no longer counts."""
    book = _read(file)
    if book.get(number, {}).pop(test, None) is not None:
        _write(file, book)


def has_failed(number: int, test: str, file: Path = FILE) -> bool:
    """Whether a test said itself that the promise does not hold."""
    return any(not part["passed"] for part in _read(file).get(number, {}).get(test, []))


def summary(tests: dict[str, list[Part]]) -> dict[str, object]:
    """The figures of all parts, each by its largest n; it passes if every test of every part did."""
    parts = [part for found in tests.values() for part in found]
    largest: dict[str, Part] = {}
    for part in parts:
        if part["what"] not in largest or part["n"] >= largest[part["what"]]["n"]:
            largest[part["what"]] = part
    told = [f"{each['what']}: {each['figure']}" if each["what"] else each["figure"] for each in largest.values()]
    return {
        "figure": "; ".join(told),
        "n": sum(each["n"] for each in largest.values()),
        "pass": bool(parts) and all(part["passed"] for part in parts),
    }


def table(file: Path = FILE) -> tuple[str, bool]:
    """The table as text, and whether every promise was measured and holds."""
    book = _read(file)
    rows = [_row("#", "promise", "measured", "n", "")]
    rows.append(_row(*("-" * width for width in WIDTHS)))
    holds = True
    for number, promise in PROMISES.items():
        found = summary(book.get(number, {}))
        is_measured = bool(book.get(number))
        verdict = ("pass" if found["pass"] else "FAIL") if is_measured else "NOT MEASURED"
        rows.append(_row(str(number), promise, str(found["figure"]), f"{found['n']:,}", verdict))
        holds = holds and verdict == "pass"
    return "\n".join(rows), holds


def _row(*cells: str) -> str:
    lines = [textwrap.wrap(cell, width) or [""] for cell, width in zip(cells, WIDTHS, strict=True)]
    height = max(len(each) for each in lines)
    padded = [each + [""] * (height - len(each)) for each in lines]
    return "\n".join(
        " | ".join(cell.rjust(width) if width == WIDTHS[3] else cell.ljust(width) for cell, width in row).rstrip()
        for row in (list(zip(line, WIDTHS, strict=True)) for line in zip(*padded, strict=True))
    )


def _read(file: Path) -> dict[int, dict[str, list[Part]]]:
    if not file.exists():
        return {}
    return {int(number): each["parts"] for number, each in json.loads(file.read_text()).items()}


def _write(file: Path, book: dict[int, dict[str, list[Part]]]) -> None:
    said = {str(number): {**summary(book[number]), "parts": book[number]} for number in sorted(book)}
    new = file.with_suffix(".new")
    new.write_text(json.dumps(said, indent=2, ensure_ascii=False) + "\n")
    new.replace(file)


if __name__ == "__main__":
    text, holds = table()
    print(text)
    sys.exit(0 if holds else 1)
