"""Documents are true of the code: links lead somewhere, commands exist, rooms are those that are there."""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec
import pytest

from pilotage.cli.main import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted(
    path
    for path in [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("src/**/*.md"),
        *ROOT.glob("examples/**/*.md"),
    ]
    if ".venv" not in path.parts
)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_within_the_repository_leads_to_a_file(document: Path) -> None:
    links = re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", document.read_text())
    for link in links:
        if "://" not in link:
            assert (document.parent / link).exists(), f"{document.name} links to {link}, which is not there"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_that_a_document_names_exists(document: Path) -> None:
    known = {words.split()[0] for _, commands in COMMANDS for words, _, _ in commands}
    named = set(re.findall(r"(?:`|^\$ |^)pilotage ([a-z]+)\b", document.read_text(), re.MULTILINE))
    assert named <= known, f"{document.name} names {named - known}"


def test_the_architecture_names_every_room_and_no_other() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text()
    named = set(re.findall(r"^\| .*$", text, re.MULTILINE))
    rooms = {path.name for path in (ROOT / "src" / "pilotage").iterdir() if (path / "__init__.py").exists()} | {"embed"}
    mentioned = {room for line in named for room in re.findall(r"`([a-z]+)/`", line.split("|")[1])}
    assert mentioned - {"records", "rules", "flow"} == rooms


def test_every_room_explains_itself_to_a_newcomer() -> None:
    rooms = [path.parent for path in (ROOT / "src" / "pilotage").glob("*/records*")]
    without = [room.name for room in rooms if not (room / "README.md").exists()]
    assert without == []


def test_the_schema_beside_the_example_is_the_one_that_the_command_prints() -> None:
    from pilotage.usecase.rules.schema import json_schema

    kept = json.loads((ROOT / "examples" / "dispatch" / "use-case.schema.json").read_text())
    assert kept == json.loads(msgspec.json.encode(json_schema())), (
        "run: pilotage schema > examples/dispatch/use-case.schema.json"
    )


def test_pages_and_messages_name_only_commands_that_exist() -> None:
    known = {words.split()[0] for _, commands in COMMANDS for words, _, _ in commands}
    source = ROOT / "src" / "pilotage"
    for path in [*source.rglob("*.html"), *source.rglob("*.py")]:
        named = set(re.findall(r"(?:[Rr]un `?|<code>|`)pilotage ([a-z]+)\b", path.read_text()))
        assert named <= known, f"{path.relative_to(ROOT)} names {named - known}"
