"""A reader who types what a document says: its blocks one after the other, in one folder and one shell."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.docs.blocks import ROOT
from tests.web.serving import wait_until

SECONDS_MAX = 900
STOP_SECONDS = 60


def shell_blocks(document: str) -> dict[str, str]:
    """The shell blocks of a document under docs/, by where they stand: ``5.1`` is the first one of step 5."""
    return _blocks(document, "sh")


def text_blocks(document: str) -> dict[str, str]:
    """What a document shows as printed, by where it stands."""
    return _blocks(document, "text")


def _blocks(document: str, kind: str) -> dict[str, str]:
    found = {}
    for section in re.split(r"^## (?=\d+\. )", (ROOT / "docs" / document).read_text(), flags=re.MULTILINE)[1:]:
        step = section.partition(".")[0]
        blocks = re.findall(rf"^```{kind}\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
        found |= {f"{step}.{number}": block for number, block in enumerate(blocks, 1)}
    return found


def commands(block: str) -> list[str]:
    """The commands of a block, each in one line."""
    lines = re.sub(r"\\\n\s*", "", block).splitlines()
    return [line for line in lines if line.strip() and not line.startswith("#")]


class Reader:
    """Types commands, with what must differ on this machine; what was exported before is known to what comes after.

    ``instead`` maps patterns to what is typed in their place; ``left_out`` are commands that are not typed.
    """

    def __init__(
        self, folder: Path, environment: Mapping[str, str], instead: Mapping[str, str], left_out: Mapping[str, str]
    ) -> None:
        self.folder = folder
        self.unused = set(instead)
        self._instead = instead
        self._left_out = left_out
        self._servers: list[int] = []
        self._known = folder / "exported"
        self._known.write_text("".join(f"export {name}='{value}'\n" for name, value in environment.items()))
        self._jobs = folder / "jobs"
        self._said = folder / "said"

    def types(self, block: str) -> str:
        """Type a block; what it printed, servers that it started included so far as they have spoken."""
        lines = [self.here(line) for line in commands(block) if line not in self._left_out]
        code, said = self._run(lines)
        assert code == 0, f"{lines} ended with {code}: {said}"
        return said

    def is_refused(self, block: str) -> str:
        """Type a block that must fail; what it printed."""
        code, said = self._run([self.here(line) for line in commands(block)])
        assert code != 0, said
        return said

    def here(self, line: str) -> str:
        """A command as it is typed on this machine."""
        for pattern, new in self._instead.items():
            line, count = re.subn(pattern, new, line)
            if count:
                self.unused.discard(pattern)
        return line

    def said(self) -> str:
        """What the last block has printed until now."""
        return self._said.read_text()

    @property
    def servers(self) -> list[int]:
        """Process ids of what still runs of that which was started in the background, oldest first."""
        self._servers = [pid for pid in self._servers if _is_running(pid)]
        return self._servers

    def stops(self, *servers: int) -> None:
        """As with Ctrl+C or a service manager: ask these to end, or all, and wait."""
        for pid in servers or self.servers:
            os.kill(pid, signal.SIGTERM)
            wait_until(lambda pid=pid: not _is_running(pid), STOP_SECONDS)  # type: ignore[misc]

    def leaves(self) -> None:
        """Nothing that was started outlives the test."""
        for pid in self.servers:
            os.kill(pid, signal.SIGKILL)

    def _run(self, lines: list[str]) -> tuple[int, str]:
        self._jobs.unlink(missing_ok=True)
        kept = f"jobs -p > {self._jobs}; export -p > {self._known}"
        script = "\n".join(["set -euo pipefail", f". {self._known}", f"trap '{kept}' EXIT", *lines])
        with self._said.open("wb") as said:
            done = subprocess.run(
                ["bash", "-c", script], cwd=self.folder, env={}, stdout=said, stderr=said, timeout=SECONDS_MAX
            )
        self._servers += [int(pid) for pid in self._jobs.read_text().split()]
        return done.returncode, self.said()


def _is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"
