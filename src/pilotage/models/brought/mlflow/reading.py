"""What an MLflow model directory says of itself. Only texts are read here; MLflow itself is not needed.

Source of the format: https://mlflow.org/docs/latest/ml/model/
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any

import msgspec
from msgspec import Struct

from pilotage.models.brought.files import MODEL_BYTES_MAX, read_given
from pilotage.models.brought.refused import ModelRefused
from pilotage.usecase.rules.document import Mapping, Scalar, Sequence, UnreadableDocument, read_document

_FILE_BYTES_MAX = 1024 * 1024
_FLAVOURS = ("sklearn", "lightgbm", "xgboost")
_VERSION = {"sklearn": "sklearn_version", "lightgbm": "lgb_version", "xgboost": "xgb_version"}
_PACKAGE = {"sklearn": "scikit-learn", "lightgbm": "lightgbm", "xgboost": "xgboost"}
_FORM = {
    ".skops": "skops",
    ".pkl": "objects",
    ".lgb": "own",
    ".txt": "own",
    ".json": "own",
    ".ubj": "own",
    ".xgb": "own",
}
_EXPORT = "Convert it to ONNX where it was trained (skl2onnx, onnxmltools), and bring that file: onnx: path"


class Directory(Struct, frozen=True):
    """A directory whose flavour we can convert.

    ``form`` is how its file is written: skops, objects serialised by Python, or the library's own format. ``columns``
    are those of the signature with their types, empty where it has none.
    """

    flavour: str
    file: str
    content: bytes
    form: str
    model_class: str
    version: str
    columns: tuple[tuple[str, str], ...]


def read_directory(folder: Path, who: str) -> Directory:
    """What is in the directory.

    Raises:
        ModelRefused: it is no model directory, has no flavour that can be converted, or code of its own.
    """
    if folder.is_symlink():
        raise ModelRefused(f"{who}: {folder} is a symbolic link.", "Put the directory itself there.")
    said = _mlmodel(folder, who)
    flavours = _section(said, "flavors")
    found = [name for name in _FLAVOURS if name in flavours]
    if not found:
        known = ", ".join(sorted(flavours)) or "none"
        raise ModelRefused(
            f"{who}: its flavours are {known}. Only sklearn, lightgbm and xgboost can be converted: a python_function "
            "is code that would have to be run.",
            _EXPORT,
        )
    about = _section(flavours, found[0])
    if about.get("code") or _section(flavours, "python_function").get("code"):
        raise ModelRefused(f"{who}: it brings code of its own (code_paths), which is not run.", _EXPORT)
    general = _section(flavours, "python_function")  # where scikit-learn's flavour names its file, too
    file = str((general.get("model_path") if found[0] == "sklearn" else about.get("data")) or "")
    path = PurePosixPath(file)
    form = _FORM.get(path.suffix)
    if not file or path.is_absolute() or ".." in path.parts or form is None:
        raise ModelRefused(f"{who}: MLmodel names {file or 'no file'} as the model's, which is not read.", _EXPORT)
    version = str(about.get(_VERSION[found[0]]) or "")
    if form != "own":
        _refuse_other_version(found[0], version, who)
    content = read_given(_within(folder, path, who), who, MODEL_BYTES_MAX)
    return Directory(
        found[0], path.name, content, form, str(about.get("model_class") or ""), version, _columns(said, who)
    )


def _mlmodel(folder: Path, who: str) -> dict[str, Any]:
    content = read_given(folder / "MLmodel", who, _FILE_BYTES_MAX)
    try:
        node, _ = read_document(content.decode())
    except (UnreadableDocument, UnicodeDecodeError) as error:
        raise ModelRefused(f"{who}: MLmodel cannot be read: {error}", "Save the model again with MLflow.") from None
    said = _plain(node)
    if not isinstance(said, dict):
        raise ModelRefused(f"{who}: MLmodel does not say what it holds.", "Save the model again with MLflow.")
    return said


def _plain(node: Scalar | Sequence | Mapping) -> Any:
    if isinstance(node, Scalar):
        return None if node.plain and node.text in ("null", "~", "") else node.text
    if isinstance(node, Sequence):
        return [_plain(item) for item in node.items]
    return {name: _plain(entry) for name, entry in node.entries.items()}


def _section(said: dict[str, Any], name: str) -> dict[str, Any]:
    found = said.get(name)
    return found if isinstance(found, dict) else {}


def _within(folder: Path, path: PurePosixPath, who: str) -> Path:
    """The file's place, where no folder on the way to it is a link."""
    here = folder
    for part in path.parts[:-1]:
        here /= part
        if here.is_symlink():
            raise ModelRefused(f"{who}: {here} is a symbolic link.", "Put the folder itself there.")
    return here / path.name


def _refuse_other_version(flavour: str, version: str, who: str) -> None:
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed

    package = _PACKAGE[flavour]
    try:
        ours = installed(package)
    except PackageNotFoundError:
        if flavour != "xgboost":
            raise ModelRefused(
                f"{who}: it needs {package}, which is not installed.", f"pip install {package}"
            ) from None
        return  # may be installed as xgboost-cpu: the child says
    if version.split(".")[:2] != ours.split(".")[:2]:
        raise ModelRefused(
            f"{who}: it was saved with {package} {version or 'of an unknown version'}, and {ours} is installed: its "
            "objects may mean something else there.",
            _EXPORT,
        )


def _columns(said: dict[str, Any], who: str) -> tuple[tuple[str, str], ...]:
    """The columns of the signature."""
    text = _section(said, "signature").get("inputs")
    if not text:
        return ()
    try:
        listed = msgspec.json.decode(str(text), type=list[dict[str, Any]])
    except msgspec.DecodeError:
        raise ModelRefused(f"{who}: the signature in MLmodel cannot be read.", "Save the model again.") from None
    return tuple((str(one["name"]), str(one["type"])) for one in listed if "name" in one and "type" in one)
