"""The TypeScript client builds and passes its own tests, against the same table."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "clients" / "typescript"


def test_it_builds_and_passes_its_own_tests() -> None:
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("Node is not installed: nothing can run the TypeScript client")
    if not (PACKAGE / "node_modules" / "typescript").exists():
        pytest.skip("its compiler is not installed: npm install --no-package-lock in clients/typescript")
    done = subprocess.run([npm, "test"], cwd=PACKAGE, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout[-4_000:] + done.stderr[-1_000:]
    passed = re.search(r"^[#ℹ] pass (\d+)", done.stdout, re.MULTILINE)
    assert passed
    assert int(passed.group(1)) >= 75


def test_it_is_ready_to_be_published() -> None:
    described = json.loads((PACKAGE / "package.json").read_text())
    assert described["license"] == "Apache-2.0"
    assert "dependencies" not in described
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in described["devDependencies"].values())
    assert all((PACKAGE / name).exists() for name in described["files"] if name != "dist")
    assert not (PACKAGE / "package-lock.json").exists()
