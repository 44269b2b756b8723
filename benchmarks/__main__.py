"""All benchmarks, one after the other; what they print goes into ``RESULTS.md`` too.

python -m benchmarks [--quick]
"""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

NAMES = ("audit", "pit", "models", "signals", "serve")
RESULTS = Path(__file__).with_name("RESULTS.md")


def main() -> None:
    """Run each, show its lines as they come, and keep them."""
    parts = [f"# Results\n\nMeasured on {datetime.now(UTC):%Y-%m-%d} with `make bench`; how is said in each script.\n"]
    for name in NAMES:
        lines = []
        command = [sys.executable, "-m", f"benchmarks.{name}", *sys.argv[1:]]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
            for line in child.stdout or ():
                print(line, end="", flush=True)
                lines.append(line)
        if child.returncode:
            raise SystemExit(child.returncode)
        parts.append(f"\n## {name}\n\n```\n{''.join(lines)}```\n")
    RESULTS.write_text("".join(parts), encoding="utf-8")


if __name__ == "__main__":
    main()
