"""The programs that a document shows, run as its reader would."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def python_blocks(document: str) -> list[str]:
    """The Python programs of a document under docs/."""
    return re.findall(r"^```python\n(.*?)^```", (ROOT / "docs" / document).read_text(), re.MULTILINE | re.DOTALL)


def printed(python: Path | str, program: str, **environment: str) -> str:
    """What a program prints."""
    arguments = [str(python), "-W", "ignore", "-c", program]
    done = subprocess.run(
        arguments, capture_output=True, text=True, timeout=120, env={**os.environ, **environment}, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
