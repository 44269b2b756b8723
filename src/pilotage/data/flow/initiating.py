"""A first project from data nobody has described: look at every table, guess, and write the file that says so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from msgspec import Struct
from msgspec.structs import replace

from pilotage.data.flow.sampling import Table, look_at, measured, sampling, telling
from pilotage.data.guessing.integration import files_of
from pilotage.data.guessing.labels import labels_of
from pilotage.data.guessing.links import possible_links
from pilotage.data.guessing.project import Project, outcomes_of, proposed
from pilotage.data.guessing.records import ForeignKey, SeenTable
from pilotage.data.guessing.words import in_ascii, words
from pilotage.data.guessing.writing import text_of
from pilotage.data.sources.databases.places import parsed
from pilotage.data.sources.databases.sqlite_files import is_sqlite
from pilotage.data.sources.files.excel import unread_sheets
from pilotage.data.sources.files.kinds import kind_of
from pilotage.platform.errors import Conflict, InvalidFile, NotFound, SourceUnavailable
from pilotage.usecase.flow import parse_definition

if TYPE_CHECKING:
    from pilotage.data.sources.databases import catalogue

_IN_THE_FILE = "Or say `accept_writer: true` in the source."
_ON_THE_LINE = "Or give --accept-writer, and it is read as this user."
_FILE_SCHEMES = ("s3://", "gs://", "az://", "abfs://", "file://", "memory://", "http://", "https://")


class Found(Struct, frozen=True):
    """The tables at an address, and the files there that no source can be made of."""

    tables: tuple[Table, ...]
    skipped: tuple[str, ...] = ()


class Draft(Struct, frozen=True):
    """A project that was guessed, its file's text, and the tables that could not be looked at."""

    project: Project
    text: str
    failures: tuple[SourceUnavailable, ...]


def tables_at(address: str, reference: str, accept_writer: bool = False) -> Found:
    """Every table of a database, or of a folder, file or prefix on object storage.

    ``reference`` is what the file says in place of the address; the two are the same where it holds no secret.

    Raises:
        SourceUnavailable: it cannot be reached, or the user could write and that was not accepted.
        NotFound: nothing there can be read.
    """
    if "://" in address and not address.startswith(_FILE_SCHEMES):
        return Found(tuple(_of_database(address, reference, accept_writer)))
    if "://" not in address and is_sqlite(Path(address)):
        behind = f"sqlite:///{Path(address).absolute()}"
        return Found(tuple(_of_database(behind, reference if reference.startswith("env:") else behind, accept_writer)))
    if address.startswith(("http://", "https://")) and kind_of(urlsplit(address).path) is None:
        return Found((_of_endpoint(address, reference),))
    from pilotage.data.sources.files.describing import survey

    surveyed = survey(address)
    found = []
    for one in surveyed.sources:
        place = reference + one.address.removeprefix(address) if reference != address else one.address
        found.append(Table(one.name, {one.kind: place}, {one.kind: one.address}, notes=one.notes))
    return Found(tuple(found), surveyed.skipped)


def _of_database(address: str, reference: str, accept_writer: bool) -> Iterator[Table]:
    from pilotage.data.sources.databases.catalogue import catalogue

    taken: set[str] = set()
    try:
        listed = catalogue(address, accept_writer)
    except SourceUnavailable as refused:
        repair = refused.repair.replace(_IN_THE_FILE, _ON_THE_LINE)
        raise type(refused)(refused.message, repair) from None
    there = [(_source_name(table.name, taken), table) for table in listed if table.columns]
    names = {table.named: name for name, table in there}
    for name, table in there:
        yield Table(
            name=name,
            place={"database": reference, "table": table.named},
            reach={"database": address, "table": table.named},
            primary_key=table.primary_key or (table.unique[0] if table.unique else ()),
            accept_writer=accept_writer,
            foreign_keys=tuple(_foreign_keys(table, names)),
        )


def _foreign_keys(table: catalogue.Table, names: dict[str, str]) -> Iterator[ForeignKey]:
    """Those of one column, to a table that can be read."""
    for key in table.foreign_keys:
        if len(key.columns) == 1 and key.table in names:
            yield ForeignKey(key.columns[0], names[key.table], key.to[0])


def _of_endpoint(address: str, reference: str) -> Table:
    """An endpoint that answers with JSON, as its first answer shows it.

    Raises:
        SourceUnavailable: it does not answer within 20 seconds, refuses, or answers with no list of JSON objects.
    """
    from pilotage.data.sources.proposing import propose_rest

    name = _source_name(urlsplit(address).path.rpartition("/")[2] or "rows", set())
    proposal = propose_rest(address, name)
    return Table(name, {}, {}, notes=proposal.says, rest=replace(proposal.rest, url=reference), address=address)


def _source_name(table: str, taken: set[str]) -> str:
    plain = "_".join(words(in_ascii(table)))[:56] or "rows"
    name = base = plain if plain[0].isalpha() else f"t_{plain}"
    number = 2
    while name in taken:
        name, number = f"{base}_{number}", number + 1
    taken.add(name)
    return name


def chosen(tables: tuple[Table, ...], names: Sequence[str]) -> tuple[Table, ...]:
    """The tables of these names, all when there are none.

    Raises:
        NotFound: there is no table of such a name.
    """
    known = {name: table for table in tables for name in _names_of(table)} | {table.name: table for table in tables}
    for name in names:
        if name not in known:
            raise NotFound(f"There is no table {name}.", _instead(tables, name))
    return tuple(known[name] for name in names) or tables


def _names_of(table: Table) -> Iterator[str]:
    """The table's name as its database has it: as the file quotes it, and as it is."""
    named = table.place.get("table", "")
    yield named
    found = parsed(named) if named else None
    if found is not None:
        yield found[1]
        yield ".".join(part for part in found if part)


def _instead(tables: tuple[Table, ...], name: str) -> str:
    """What there is, and how a sheet of a workbook is read that is none of the tables."""
    for table in tables:
        if name in unread_sheets(table.notes):
            return (
                f"It is another sheet of the workbook that {table.name} is read from; a draft reads the first only. "
                f"Write it into the file as a source: `files: {table.place['files']}`, `sheet: {name}`, and its key."
            )
    return f"There are: {', '.join(table.name for table in tables)}."


def draft(name: str, tables: tuple[Table, ...]) -> Draft:
    """Look at the tables and guess a project.

    Raises:
        NotFound: there is no table, or none has both rows and a key.
        SourceUnavailable: none could be looked at.
    """
    if not tables:
        raise NotFound(
            "No table can be seen there.", "Check the address, and that its user may read the tables (GRANT SELECT)."
        )
    with sampling() as engine:
        seen: list[SeenTable] = []
        failures: list[SourceUnavailable] = []
        for table in tables:
            try:
                seen.append(look_at(engine, table))
            except SourceUnavailable as failure:
                failures.append(failure)
        if failures and not seen:
            raise failures[0]
        found = tuple(seen)
        labels = labels_of(found, name)
        label = outcomes_of(found, labels)[0]
        links = measured(engine, possible_links(found))
        given_away = telling(engine, next(table for table in seen if table.name == label.table), label)
    project = proposed(name, found, labels, links, given_away)
    text = text_of(project)
    try:
        parse_definition(text, f"{name}.yaml")
    except InvalidFile as error:  # a guess of ours does not fit: a defect, which must name what it is
        raise AssertionError(f"the guessed file has mistakes: {[str(problem) for problem in error.problems]}") from None
    return Draft(project, text, tuple(failures))


def write(drafted: Draft, folder: Path) -> Path:
    """Write the file; nothing that is there already is touched.

    Raises:
        Conflict: a file of this name is there.
    """
    path = folder / f"{drafted.project.name}.yaml"
    if path.exists():
        raise Conflict(f"{path} is there already.", "Give another --name or --to, or remove it.")
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(drafted.text, encoding="utf-8")
    return path


def write_integration(drafted: Draft, folder: Path) -> tuple[list[Path], list[Path]]:
    """Write what continuous integration runs: the files written, and those that were there and are left as they are."""
    written, left = [], []
    for name, text in files_of(drafted.text).items():
        path = folder / name
        if path.exists() or path.is_symlink():
            left.append(path)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        if path.suffix == ".sh":
            path.chmod(0o755)
        written.append(path)
    return written, left
