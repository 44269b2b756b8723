"""All benchmarks, one after the other, or those that are named; what they print goes into ``RESULTS.md`` too.

python -m benchmarks [NAME ...] [--quick]
"""

from __future__ import annotations

import platform
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

NAMES = ("audit", "pit", "models", "signals", "batch", "serve", "console")
RESULTS = Path(__file__).with_name("RESULTS.md")
_TITLE = "# Results\n\nMeasured with `make bench`; how is said in each script.\n"


def main() -> None:
    """Run each, show its lines as they come, and keep them; sections of others stay as they are."""
    names = [each for each in sys.argv[1:] if not each.startswith("-")]
    options = [each for each in sys.argv[1:] if each.startswith("-")]
    if unknown := set(names) - set(NAMES):
        raise SystemExit(f"There is no benchmark {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}.")
    missed: list[str] = []
    for name in names or NAMES:
        lines = []
        command = [sys.executable, "-m", f"benchmarks.{name}", *options]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
            for line in child.stdout or ():
                print(line, end="", flush=True)
                lines.append(line)
        if child.returncode and not (lines and lines[-1].startswith("{")):
            raise SystemExit(child.returncode)
        missed += [name] if child.returncode else []  # it measured all, and a goal is not reached
        when = f"{datetime.now(UTC):%Y-%m-%d}, {platform.processor() or platform.machine()}"
        keep(name, f"{' '.join([when, *options])}\n\n```\n{''.join(lines)}```\n")
    if missed:
        raise SystemExit(f"Goals were missed: {', '.join(missed)}.")


def keep(name: str, told: str) -> None:
    """Replace one section of the results."""
    text = RESULTS.read_text(encoding="utf-8") if RESULTS.exists() else ""
    sections = dict(re.findall(r"^## (\w+)\n\n(.*?)(?=^## \w+\n|\Z)", text, re.DOTALL | re.MULTILINE))
    sections[name] = told
    parts = [f"\n## {each}\n\n{sections[each].rstrip()}\n" for each in NAMES if each in sections]
    RESULTS.write_text("".join([_TITLE, *parts]), encoding="utf-8")


if __name__ == "__main__":
    main()
