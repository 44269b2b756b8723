"""Open Data Contracts in and out: a document is validated, becomes contract files, and comes out again whole."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from pilotage.data.contracts import standard
from pilotage.data.contracts.reading import DEPTH_MAX, FILE_BYTES_MAX
from pilotage.data.contracts.records import Contract
from pilotage.data.contracts.rendering import document_text, rendered
from pilotage.platform.errors import Conflict, InvalidFile, NotFound, Problem, SettingsError, TooLarge
from pilotage.usecase.records import Definition
from pilotage.usecase.rules.conversion import anything, positions_of
from pilotage.usecase.rules.document import UnreadableDocument, read_document
from pilotage.usecase.rules.places import Mistake, Positions, located

_PROBLEMS_MAX = 30
_MESSAGE_MAX = 300
_HEAD = "# From the Open Data Contract {}. Parts that have no rule here are kept under `standard`.\n"


def read_standard(path: Path) -> standard.Document:
    """An Open Data Contract in a YAML or JSON file, valid by the standard's JSON Schema.

    Raises:
        NotFound, TooLarge: there is no such file, or it is longer than a mebibyte.
        InvalidFile: it is no such document; ``problems`` names every place.
        SettingsError: the library that holds the schema is not installed.
    """
    if not path.is_file():
        raise NotFound(f"There is no file {path}.", "Give the path of an Open Data Contract, in YAML or JSON.")
    with path.open("rb") as file:
        content = file.read(FILE_BYTES_MAX + 1)
    if len(content) > FILE_BYTES_MAX:
        raise TooLarge(f"{path} is larger than a mebibyte.", "Check that it is the right file.")
    document, positions = _decoded(content, path)
    problems = list(_invalid(document, positions))
    if problems:
        count = "a mistake" if len(problems) == 1 else f"{len(problems)} mistakes"
        message = f"{path} is no Open Data Contract of version 3.1: it has {count}."
        raise InvalidFile(message, "Correct what is named.", problems)
    return document


def contract_texts(document: standard.Document, definition: Definition) -> tuple[dict[str, str], tuple[str, ...]]:
    """The text of a contract file for each object that is a source of the use case, and what is to be said of it.

    Raises:
        NotFound: none of its objects is a source.
    """
    names = _matched(document, definition)
    use_case = definition.use_case
    if not names:
        objects = ", ".join(name for name, _ in standard.object_names(document)) or "none"
        repair = f"Sources of {definition.name}: {', '.join(use_case.sources)}. Name objects or their tables so."
        message = f"The document promises nothing of a source of {definition.name}: its objects are {objects}."
        raise NotFound(message, repair)
    made = standard.imported(document, names, use_case.data_owner or use_case.owner)
    head = _HEAD.format(" ".join(str(document["id"]).split())[:80])
    remarks = [f"{each.contract.contract}: {remark}" for each in made for remark in each.remarks]
    left = [name for place, (name, _) in enumerate(standard.object_names(document)) if place not in names]
    remarks += [f"{name} is no source of {definition.name}: it is kept as it is." for name in left]
    return {each.contract.contract: rendered(each.contract, head=head) for each in made}, tuple(remarks)


def write_contracts(folder: Path, texts: dict[str, str], replace: bool) -> list[Path]:
    """Write contract files, all or none of them.

    Raises:
        Conflict: one is there already, and shall not be replaced.
    """
    paths = {folder / f"{source}.yaml": text for source, text in texts.items()}
    there = [str(path) for path in paths if path.exists()]
    if there and not replace:
        raise Conflict(f"{', '.join(there)} is there already.", "Say --replace, or move it away first.")
    folder.mkdir(parents=True, exist_ok=True)
    for path, text in paths.items():
        beside = path.with_name(f".{path.name}.new")
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)
    return list(paths)


def standard_documents(contracts: Sequence[Contract], definition: Definition | None) -> dict[str, standard.Document]:
    """Contracts as Open Data Contracts, valid by the schema: those that came from one document make one again.

    By the name of the first source of each.

    Raises:
        InvalidFile: what would come out is not valid; ``problems`` says why.
    """
    together: dict[str, list[Contract]] = {}
    for contract in contracts:
        together.setdefault(standard.document_id(contract) or f"\0{contract.contract}", []).append(contract)
    keys = {name: source.key for name, source in definition.use_case.sources.items()} if definition else {}
    found = {}
    for group in together.values():
        document = standard.exported(group, keys)
        problems = list(_invalid(document, {}))
        if problems:
            names = ", ".join(contract.contract for contract in group)
            raise InvalidFile(f"The contract of {names} cannot be written as an Open Data Contract.", "", problems)
        found[group[0].contract] = document
    return found


def standard_text(document: standard.Document, as_json: bool = False) -> str:
    """A document as YAML or JSON."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n" if as_json else document_text(document)


def _matched(document: standard.Document, definition: Definition) -> dict[int, str]:
    """Which source each object is: of its name, else of its table's name."""
    sources = definition.use_case.sources
    tables = {source.table.split(".")[-1].lower(): name for name, source in sources.items() if source.table}
    found: dict[int, str] = {}
    for place, (name, table) in enumerate(standard.object_names(document)):
        source = name if name in sources else tables.get(table.split(".")[-1].lower(), "")
        if source and source not in found.values():
            found[place] = source
    return found


def _decoded(content: bytes, path: Path) -> tuple[standard.Document, Positions]:
    positions: Positions = {}
    try:
        text = content.decode("utf-8-sig")
        if text.lstrip()[:1] == "{":
            document: Any = json.loads(text)
        else:
            node, mistakes = read_document(text, DEPTH_MAX)
            document, positions = anything(node), positions_of(node)
            if mistakes:
                raise InvalidFile(f"{path} has mistakes.", "Correct them.", located(mistakes, positions))
    except UnicodeDecodeError:
        raise InvalidFile(f"{path} is not UTF-8 text.", "Save it as UTF-8.") from None
    except json.JSONDecodeError as error:
        problem = Problem("file", f"This is not JSON: {error.msg}.", "", error.lineno, error.colno)
        raise InvalidFile(f"{path} is not JSON.", "Correct it.", [problem]) from None
    except RecursionError:
        raise InvalidFile(f"{path} is nested too deep.", "Check that it is the right file.") from None
    except UnreadableDocument as error:
        raise InvalidFile(f"{path} is not YAML as it is read here.", "", located([error.mistake], {})) from None
    if not isinstance(document, dict):
        raise InvalidFile(f"{path} is no group of keys.", "Check that it is the right file.")
    return document, positions


def _invalid(document: standard.Document, positions: Positions) -> Iterator[Problem]:
    """What the standard's own JSON Schema finds wrong, by its place in the file."""
    try:
        import jsonschema

        text = resources.files("open_data_contract_standard").joinpath("schema.json").read_text(encoding="utf-8")
    except ImportError:
        message = "Open Data Contracts need libraries that are not installed."
        raise SettingsError(message, "Run: pip install 'pilotage[contracts]'") from None
    checker = jsonschema.Draft201909Validator(json.loads(text))
    mistakes = []
    for error in checker.iter_errors(document):
        deepest = jsonschema.exceptions.best_match([error]) or error
        mistakes.append(Mistake(tuple(deepest.absolute_path), _shortened(str(deepest.message))))
    yield from located(mistakes, positions)[:_PROBLEMS_MAX]


def _shortened(message: str) -> str:
    half = _MESSAGE_MAX // 2
    return f"{message}." if len(message) <= _MESSAGE_MAX else f"{message[:half]} … {message[-half:]}."
