"""An MLflow model directory is taken: converted to ONNX in a confined child, and then a graph like any other."""

from __future__ import annotations

from pathlib import Path

import msgspec
from msgspec import Struct

from pilotage.models.brought.child import Limits, read_left, run, work_folder
from pilotage.models.brought.examples import Examples
from pilotage.models.brought.graph.taking import TakenGraph, refuse_without_runtime, take_content
from pilotage.models.brought.mlflow.reading import Directory, read_directory
from pilotage.models.brought.refused import missing_extra
from pilotage.models.brought.wanted import Wanted
from pilotage.usecase.records import Brought

LIMITS = Limits(seconds=180.0)
_INPUT = "columns"


class TakenDirectory(Struct, frozen=True):
    """The graph that the directory's model became, its flavour, and what confined the process that opened it."""

    graph: TakenGraph
    flavour: str
    version: str
    confined_by: tuple[str, ...]


def take_directory(folder: Path, given: Brought, examples: Examples, wanted: Wanted, who: str) -> TakenDirectory:
    """The model in the directory.

    Raises:
        ModelRefused: it cannot be read or converted, or does not answer as its examples say.
    """
    refuse_without_runtime(who)
    directory = read_directory(folder, who)
    _refuse_without_converters(directory, who)
    content, said = _converted(directory, who)
    graph = take_content(content, _mapped(given, said, wanted), examples, wanted, who)
    return TakenDirectory(graph, directory.flavour, directory.version, said.held)


class _Said(Struct, frozen=True):
    columns: tuple[str, ...]
    by_column: bool
    classes: tuple[str, ...]
    held: tuple[str, ...]


def _converted(directory: Directory, who: str) -> tuple[bytes, _Said]:
    with work_folder() as folder:
        (folder / "model").mkdir()
        (folder / "model" / directory.file).write_bytes(directory.content)
        task = {
            "file": directory.file,
            "form": directory.form,
            "flavour": directory.flavour,
            "model_class": directory.model_class,
            "columns": directory.columns,
        }
        said = msgspec.convert(run("convert_mlflow", folder, task, LIMITS, who), _Said)
        return read_left(folder, "model.onnx", who), said


def _mapped(given: Brought, said: _Said, wanted: Wanted) -> Brought:
    """What the file says, with what the directory says itself. The file's ``inputs`` rename the model's columns."""
    renamed = [given.inputs.get(name, name) for name in said.columns]
    ours = [name if isinstance(name, str) else name[0] for name in renamed]
    inputs: dict[str, str | list[str]]
    inputs = dict(zip(said.columns, ours, strict=True)) if said.by_column else {_INPUT: ours}
    if _INPUT in given.inputs and not said.by_column and _INPUT not in said.columns:
        inputs = {_INPUT: given.inputs[_INPUT]}
    classes = list(given.classes or said.classes) if wanted.kind != "number" else []
    return msgspec.structs.replace(given, inputs=inputs, classes=classes)


def _refuse_without_converters(directory: Directory, who: str) -> None:
    from importlib.util import find_spec

    needed = {"sklearn": ["skl2onnx"], "lightgbm": ["skl2onnx", "onnxmltools"], "xgboost": ["skl2onnx", "onnxmltools"]}
    for library in needed[directory.flavour]:
        if find_spec(library) is None:
            raise missing_extra(who, library, "convert")
