"""What ``init`` writes for continuous integration: a plain script that any server runs, and a workflow that runs it."""

from __future__ import annotations

import re
from collections.abc import Sequence

SCRIPT = "ci/pilotage.sh"
WORKFLOW = ".github/workflows/pilotage.yaml"
_REFERENCE = re.compile(r"\benv:([A-Za-z_][A-Za-z0-9_]*)")

_SCRIPT = r"""#!/usr/bin/env bash
# What a change must pass, on any server: ci/pilotage.sh [FILE …]. Written by pilotage init and yours from then on.
#
# Always:                    pilotage check. It needs no database: sources that cannot be reached are named, no more.
# Where a model is kept      (an installation: PILOTAGE_HOME, PILOTAGE_DATABASE_URL): the tests of what is live.
# Where sources are reached  (their env: variables are set) and no guess is left: everything anew, in a home that is
#                            thrown away: sync, audit, build, train, and the tests of the model that comes of it.
set -euo pipefail
cd "$(dirname "$0")/.."
reports=${REPORTS:-reports}
mkdir -p "$reports"

if [ $# -eq 0 ]; then
    mapfile -t files < <(grep -lE '^use_case:' -- *.yaml *.yml 2>/dev/null || true)
    set -- "${files[@]}"
fi
if [ $# -eq 0 ]; then
    echo "There is no use-case file here: give its path." >&2
    exit 2
fi

kept=no
if [ -n "${PILOTAGE_DATABASE_URL:-}" ] || [ -e "${PILOTAGE_HOME:-.pilotage}/pilotage.db" ]; then
    kept=yes
fi

for file in "$@"; do
    name=$(sed -n 's/^use_case: *\([a-z0-9_-]*\).*/\1/p' "$file" | head -n 1)
    echo "== $name: check"
    pilotage check "$file" | tee "$reports/$name.check.txt"
    if [ "$kept" = yes ]; then
        echo "== $name: test what is live"
        pilotage test "$name" --junit "$reports/$name.xml"
    elif grep -qE '^guessed:' "$file"; then
        echo "== $name: guesses are left in $file, so nothing is trained."
    elif grep -qF "$file not looked at: " "$reports/$name.check.txt"; then
        echo "== $name: its sources cannot be reached from here, so no model is tested."
    else
        echo "== $name: audit, train and test anew"
        (
            PILOTAGE_HOME=$(mktemp -d)
            export PILOTAGE_HOME
            trap 'rm -rf "$PILOTAGE_HOME"' EXIT
            pilotage sync "$file"
            pilotage audit "$name" --json > "$reports/$name.audit.json"
            pilotage build "$name"
            pilotage train "$name"
            pilotage test "$name" --junit "$reports/$name.xml"
        )
    fi
done
"""

_WORKFLOW = """# Checks the use case and tests its model on every pull request. Written by pilotage init, then yours.
name: pilotage
on:
  pull_request:
  push:
    branches: [main]
permissions:
  contents: read
jobs:
  pilotage:
    runs-on: ubuntu-latest
    timeout-minutes: 60
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with:
          python-version: "3.11"
      - name: Install
        run: python -m pip install "pilotage[all]" pytest
      - name: Check, audit and test
        run: bash ci/pilotage.sh
{secrets}      - name: Keep the reports
        if: always()
        uses: actions/upload-artifact@v4
        with:
          name: pilotage
          path: reports
          if-no-files-found: ignore
"""


def files_of(text: str) -> dict[str, str]:
    """Path → text of what is written beside a use-case file of this text."""
    return {SCRIPT: _SCRIPT, WORKFLOW: _WORKFLOW.format(secrets=_secrets(variables_of(text)))}


def variables_of(text: str) -> Sequence[str]:
    """The environment variables that the file's sources are reached by, in order."""
    return list(dict.fromkeys(_REFERENCE.findall(text)))


def _secrets(names: Sequence[str]) -> str:
    """Each variable from the secret of its name; a secret that is not there is empty, and the source not reached."""
    if not names:
        return ""
    lines = [f"          {name}: ${{{{ secrets.{name} }}}}" for name in names]
    return "\n".join(["        env:", *lines]) + "\n"
