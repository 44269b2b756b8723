"""Reading use-case files, adopting them as current, and keeping the evidence that phases leave."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from pilotage.govern import flow as governing
from pilotage.govern.records import Principal
from pilotage.platform.code_version import code_version
from pilotage.platform.errors import Conflict, EvidenceMissing, InvalidFile, NotFound, Problem, TooLarge
from pilotage.platform.identifiers import new_id
from pilotage.platform.workspace import Workspace
from pilotage.usecase import store
from pilotage.usecase.records import Answers, Definition, Evidence
from pilotage.usecase.rules import consistency, expansion
from pilotage.usecase.rules.columns_files import joined, name_in, names_used, parted, read_shared
from pilotage.usecase.rules.document import FILE_BYTES_MAX
from pilotage.usecase.rules.places import located
from pilotage.usecase.rules.reading import Reading, read
from pilotage.usecase.rules.substance import substance_of


def read_definition(path: Path) -> Definition:
    """The use case in a file.

    Raises:
        NotFound: there is no such file.
        TooLarge: it is larger than a use case may be; only its beginning was read.
        InvalidFile: it has mistakes; ``problems`` names all of them.
    """
    if not path.is_file():
        raise NotFound(f"There is no file {path}.", "Give the path of a use-case file.")
    with path.open("rb") as file:
        content = file.read(FILE_BYTES_MAX + 1)
    _refuse_large(len(content), str(path))
    text = _decoded(content, str(path))
    return parse_definition(joined(text, _shared_beside(path, names_used(text))), str(path))


def unfinished(path: Path) -> Reading:
    """A file with mistakes as far as it can be read, with everything that is wrong in the file alone."""
    text = _decoded(path.read_bytes(), str(path))
    return _with_every_mistake(read(joined(text, _shared_beside(path, names_used(text)))))


def _with_every_mistake(reading: Reading) -> Reading:
    if reading.use_case is None:
        return reading
    found = consistency.check(reading.use_case, reading.mistakes, reading.positions)
    return msgspec.structs.replace(reading, mistakes=(*reading.mistakes, *found))


def _shared_beside(path: Path, names: Collection[str]) -> dict[str, str]:
    """The texts of the columns files that declare these names, by their paths from the use-case file's folder."""
    if not names:
        return {}
    return {file: text for file, text in columns_files(path.parent).items() if name_in(text) in names}


def columns_files(folder: Path) -> dict[str, str]:
    """The texts of all columns files of a folder of use cases: ``columns/weather.yaml`` → its text."""
    found = {}
    for file in sorted([*folder.glob("columns/*.yaml"), *folder.glob("columns/*.yml")]):
        with file.open("rb") as opened:
            content = opened.read(FILE_BYTES_MAX + 1)
        _refuse_large(len(content), str(file))
        found[f"columns/{file.name}"] = _decoded(content, str(file))
    return found


def parse_definition(text: str, file: str) -> Definition:
    """The use case in a text; ``file`` names it in messages.

    Raises:
        TooLarge: the text is larger than a use case may be.
        InvalidFile: it has mistakes; ``problems`` names all of them.
    """
    _refuse_large(len(text.encode()), file)
    return _parsed(text, file)


@lru_cache(maxsize=64)
def _parsed(text: str, file: str) -> Definition:
    reading = _with_every_mistake(read(text))
    problems = located(reading.mistakes, reading.positions)
    if problems or reading.use_case is None:
        count = "a mistake" if len(problems) == 1 else f"{len(problems)} mistakes"
        raise InvalidFile(f"{file} has {count}.", "Correct what is named.", problems)
    return Definition(
        use_case=reading.use_case,
        text=text,
        fingerprint=hashlib.sha256(text.encode()).hexdigest(),
        plan=expansion.expand(reading.use_case),
        # Of the answers only those to findings: they change what an audit says of them.
        substance=substance_of(reading.use_case, Answers(findings=reading.use_case.answers.findings)),
    )


def _refuse_large(size: int, file: str) -> None:
    if size > FILE_BYTES_MAX:
        raise TooLarge(
            f"{file} is larger than {FILE_BYTES_MAX // 1024} KiB; a use-case file has a few.",
            "Check that it is the right file. Of thousands of columns declare those that matter.",
        )


def _decoded(content: bytes, file: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        column = error.start - content.rfind(b"\n", 0, error.start)
        problem = Problem("file", "This byte is not UTF-8.", "Save the file as UTF-8 text.", line, column)
        raise InvalidFile(f"{file} is not UTF-8 text.", "Save it as UTF-8.", [problem]) from None


def adopt(work: Workspace, definition: Definition, by: Principal, file: str = "") -> Definition:
    """Make a definition the current one of its use case; a change is recorded in the audit log.

    Its file is kept with its whole path, so that later commands find it wherever they are given.
    """
    file = str(Path(file).absolute()) if file else ""
    with work.database.writing() as connection:
        before = store.put(
            connection, definition.name, definition.text, definition.fingerprint, file, work.clock.now(), by.id
        )
        if before != definition.fingerprint:
            detail = {"fingerprint": definition.fingerprint, "before": before, "file": file}
            governing.record(connection, work, by, "use_case.adopted", definition.name, detail)
    return definition


def find(work: Workspace, name_or_path: str | None) -> Definition:
    """The use case that is meant: by its name or by the file that was adopted; nothing means the only one.

    Raises:
        NotFound: there is none of this name or path, or nothing was given and there are several or none.
        InvalidFile: the file has mistakes.
        Conflict: the file is not, or no longer, what was adopted.
    """
    if name_or_path is None:
        return _only(work)
    path = path_in(name_or_path)
    if path is None:
        return find_adopted(work, name_or_path)
    definition = read_definition(path)
    if not is_adopted(work, definition):
        raise Conflict(
            f"{path.name} differs from what was adopted as {definition.name}, or was never adopted.",
            f"Run pilotage sync {path}, which adopts it.",
        )
    return definition


def is_adopted(work: Workspace, definition: Definition) -> bool:
    """Whether exactly this text is the current one of its use case."""
    with work.database.reading() as connection:
        found = store.text_of(connection, definition.name)
    return found is not None and found[0] == definition.text


def find_adopted(work: Workspace, name: str) -> Definition:
    """The current definition of a use case; never looks at files, so that a name from outside opens none.

    Raises:
        NotFound: no use case of this name was adopted.
    """
    with work.database.reading() as connection:
        found = store.text_of(connection, name)
        names = store.names(connection) if found is None else []
    if found is None:
        near = get_close_matches(name, names, 1)
        known = f"Known: {', '.join(names)}." if names else "None is adopted yet: pilotage sync <file> adopts one."
        raise NotFound(f"There is no use case {name}.", f"Did you mean {near[0]}?" if near else known)
    return parse_definition(*found)


def earlier(work: Workspace, definition: Definition, fingerprint: str) -> Definition | None:
    """The newest text of a use case with the columns of the one that had this fingerprint; None where it is not kept.

    That is the current one as long as its columns and the kind of its outcome are the same.
    """
    if definition.fingerprint == fingerprint:
        return definition
    with work.database.reading() as connection:
        texts = store.texts_of(connection, definition.name)
    kept = _readable(texts.get(fingerprint), definition.name)
    if kept is None or kept.shape == definition.shape:
        return kept and definition
    found = (_readable(text, definition.name) for text in texts.values())
    return next((each for each in found if each is not None and each.shape == kept.shape), kept)


def _readable(text: str | None, name: str) -> Definition | None:
    """A text that was adopted once; None where this program reads it no longer."""
    try:
        return None if text is None else parse_definition(text, f"an earlier file of {name}")
    except InvalidFile:
        return None


def adopted_at(work: Workspace, name: str) -> datetime:
    """Since when a use case has the text that it has now.

    Raises:
        NotFound: no use case of this name was adopted.
    """
    with work.database.reading() as connection:
        found = store.adopted_at(connection, name)
    if found is None:
        raise NotFound(f"There is no use case {name}.", "pilotage sync <file> adopts one.")
    return found


def path_in(name_or_path: str | None) -> Path | None:
    """The path of a file, where a command was given that and not a name."""
    is_path = name_or_path is not None and (name_or_path.endswith((".yaml", ".yml")) or os.sep in name_or_path)
    return Path(name_or_path) if name_or_path is not None and is_path else None


def _only(work: Workspace) -> Definition:
    with work.database.reading() as connection:
        names = store.names(connection)
    if len(names) == 1:
        return find_adopted(work, names[0])
    if names:
        raise NotFound("Several use cases are adopted.", f"Say which one: {', '.join(names)}.")
    raise NotFound("No use case is adopted yet.", "Give a use-case file: pilotage sync <file>.")


def demand_confirmed(definition: Definition) -> None:
    """That a person has looked at everything in the file that was guessed.

    Raises:
        EvidenceMissing: lines under ``guessed`` are left.
    """
    left = definition.use_case.guessed
    if left:
        count = "A guess" if len(left) == 1 else f"{len(left)} guesses"
        raise EvidenceMissing(
            f"{count} of {definition.name} still {'waits' if len(left) == 1 else 'wait'} for a person: "
            f"{', '.join(left)}.",
            "Read each line under `guessed` in the file, correct its place, remove the line, and sync the file.",
        )


def names(work: Workspace) -> list[str]:
    """Names of all adopted use cases, in order."""
    with work.database.reading() as connection:
        return store.names(connection)


def definitions(work: Workspace) -> list[Definition]:
    """All adopted use cases, by name."""
    with work.database.reading() as connection:
        found = [store.text_of(connection, name) for name in store.names(connection)]
    return [parse_definition(*pair) for pair in found if pair is not None]


def keep_evidence(work: Workspace, definition: Definition, kind: str, body: Mapping[str, Any]) -> Evidence:
    """Keep what a phase measured: kinds are sync, audit, applied, training_set, comparison, parity, live_parity,
    rejoined, gate."""
    now = work.clock.now()
    piece = Evidence(
        id=new_id("evi", now),
        use_case=definition.name,
        kind=kind,
        definition=definition.substance,
        code=code_version(),
        body=msgspec.to_builtins(body, str_keys=True),
        made_at=now,
    )
    with work.database.writing() as connection:
        store.add_evidence(connection, piece)
    return piece


def latest_evidence(work: Workspace, use_case: str, kind: str) -> Evidence | None:
    """The newest evidence of a kind, None when that phase has not run."""
    with work.database.reading() as connection:
        return store.newest_evidence(connection, use_case, kind)


def evidence_history(work: Workspace, use_case: str, kind: str, limit: int = 100) -> list[Evidence]:
    """The newest evidence of a kind, at most ``limit`` pieces, the newest first."""
    with work.database.reading() as connection:
        return store.evidence_history(connection, use_case, kind, limit)


def file_of(work: Workspace, use_case: str) -> Path | None:
    """The path that a use case was adopted from, whether or not it is still there; None when it had no file."""
    with work.database.reading() as connection:
        found = store.text_of(connection, use_case)
    return Path(found[1]) if found and found[1] else None


def say_if_changed(work: Workspace, definition: Definition, say: Callable[[str], None]) -> None:
    """Say that the file on disk is another by now than what was adopted, and is not what a command works by."""
    path = file_of(work, definition.name)
    if path is None or not path.is_file():
        return
    try:
        changed = read_definition(path).text != definition.text
    except (InvalidFile, TooLarge):
        changed = True
    if changed:
        say(f"{path} has changed since it was synced; what it said then is used. To use it as it is: sync it.")


class Shared(msgspec.Struct, frozen=True):
    """A columns file, who uses it, and which of them have adopted another text than it has now.

    ``inputs`` are the columns' names as the file declares them, ``mistakes`` what is wrong with it.
    """

    columns: str
    file: str
    owner: str
    description: str
    inputs: tuple[str, ...]
    used_by: tuple[str, ...]
    outdated: tuple[str, ...] = ()
    mistakes: tuple[str, ...] = ()


def shared_columns(work: Workspace, folder: Path) -> list[Shared]:
    """The columns files of a folder of use cases and of all adopted ones, by their names."""
    adopted = {definition.name: parted(definition.text)[1] for definition in definitions(work)}
    folders = {folder.resolve()} | {file.resolve().parent for name in adopted if (file := file_of(work, name))}
    texts = {(place, file): text for place in sorted(folders) for file, text in columns_files(place).items()}
    homes = {name: file.resolve().parent for name in adopted if (file := file_of(work, name))}
    found = [
        _shared(place, file, text, {name: used for name, used in adopted.items() if homes.get(name) == place})
        for (place, file), text in texts.items()
    ]
    return sorted(found, key=lambda each: (each.columns, each.file))


def _shared(folder: Path, file: str, text: str, adopted: Mapping[str, Mapping[str, str]]) -> Shared:
    read_ = read_shared(file, text)
    declared = read_.columns
    used_by = tuple(name for name, texts in adopted.items() if file in texts)
    return Shared(
        columns=declared.columns if declared else name_in(text),
        file=str(folder / file),
        owner=declared.owner if declared else "",
        description=declared.description if declared else "",
        inputs=tuple(declared.inputs) if declared else (),
        used_by=used_by,
        outdated=tuple(name for name in used_by if adopted[name][file].rstrip() != text.rstrip()),
        mistakes=read_.mistakes,
    )
