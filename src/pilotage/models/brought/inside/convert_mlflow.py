"""Opens the model of an MLflow directory in a confined process and leaves it there as ONNX."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from pilotage.models.brought.inside.answering import Refusal, answer, now
from pilotage.models.brought.inside.confining import confine

_EXPORT = "Convert it to ONNX where it was trained (skl2onnx, onnxmltools), and bring that file: onnx: path"
_LIBRARIES = ("sklearn", "numpy", "scipy", "lightgbm", "xgboost")
_BUILT_IN = frozenset(
    one.__name__
    for one in (
        list,
        dict,
        set,
        frozenset,
        tuple,
        bytearray,
        bytes,
        complex,
        object,
        slice,
        range,
        int,
        float,
        str,
        bool,
    )
)
_MAKERS = frozenset(
    (
        *("_reconstruct", "scalar", "_frombuffer", "dtype", "ndarray"),
        *("csr_matrix", "csc_matrix", "csr_array", "csc_array"),
        *("__randomstate_ctor", "__generator_ctor", "__bit_generator_ctor"),
    )
)
_SCALARS = re.compile(r"(u?int|float|complex)\d+|bool_?|str_|object_")
_ELSEWHERE = {"collections": {"OrderedDict", "defaultdict"}, "copyreg": {"_reconstructor"}, "_codecs": {"encode"}}
_NUMBERS = frozenset({"double", "float", "long", "integer", "boolean"})


def convert(folder: Path, task: dict[str, Any]) -> dict[str, Any]:
    """The model as a graph: its columns in order, its classes where it has some, and what confined this process."""
    held = confine(folder)
    _allow_only_known_classes()
    now("being opened", _EXPORT)
    model = _opened(folder / "model" / task["file"], task)
    now("being converted to ONNX", _EXPORT)
    columns = task["columns"] or [[name, "double"] for name in _names(model)]
    if not columns:
        raise Refusal("it does not name its columns.", "Save it with a signature: mlflow.models.infer_signature(X, y)")
    from pilotage.models.brought.inside.check_graph import refuse_unsafe

    content, by_column = _graph(model, columns)
    refuse_unsafe(content)
    (folder / "model.onnx").write_bytes(content)
    classes = [str(one) for one in getattr(model, "classes_", [])]
    return {"columns": [name for name, _ in columns], "by_column": by_column, "classes": classes, "held": held}


def _opened(file: Path, task: dict[str, Any]) -> Any:
    if task["form"] == "skops":
        return _from_skops(file)
    if task["form"] == "objects":
        return _from_objects(file)
    if task["flavour"] == "lightgbm":
        import lightgbm

        return lightgbm.Booster(model_file=str(file))
    return _from_xgboost(file, task["model_class"])


def _from_skops(file: Path) -> Any:
    try:
        from skops.io import get_untrusted_types, load
    except ImportError:
        raise Refusal("it is saved with skops, which is not installed.", "pip install 'pilotage[convert]'") from None

    asked = get_untrusted_types(file=file)
    strange = [name for name in asked if not name.startswith(tuple(f"{one}." for one in (*_LIBRARIES, "collections")))]
    if strange:
        raise Refusal(f"it holds {strange[0]}, which is not of scikit-learn, LightGBM or XGBoost.", _EXPORT)
    return load(file, trusted=asked)


def _from_xgboost(file: Path, model_class: str) -> Any:
    try:
        import xgboost
    except ImportError:
        raise Refusal("it needs xgboost, which is not installed.", "pip install xgboost-cpu") from None

    name = model_class.rpartition(".")[2]
    model = {"XGBClassifier": xgboost.XGBClassifier, "XGBRegressor": xgboost.XGBRegressor}.get(name, xgboost.Booster)()
    model.load_model(file)
    return model


def _from_objects(file: Path) -> Any:
    """Objects serialised by Python, read by the standard library's own reader of what processes send each other."""
    import struct
    from multiprocessing.connection import Connection

    content = file.read_bytes()
    framed = file.with_suffix(".framed")
    framed.write_bytes(struct.pack("!i", len(content)) + content)
    with framed.open("rb") as opened:
        import os

        connection = Connection(os.dup(opened.fileno()), writable=False)
        try:
            return connection.recv()
        finally:
            connection.close()


def _allow_only_known_classes() -> None:
    """Refuses, before it is looked up, whatever a serialised object asks for that no estimator consists of."""

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event.endswith(".find_class") and not _is_known(str(arguments[0]), str(arguments[1])):
            raise Refusal(
                f"it holds {arguments[0]}.{arguments[1]}, which no estimator of scikit-learn, LightGBM or XGBoost "
                "consists of.",
                _EXPORT,
            )

    sys.addaudithook(hook)


def _is_known(module: str, name: str) -> bool:
    if module == "builtins":
        return name in _BUILT_IN
    if module in _ELSEWHERE:
        return name in _ELSEWHERE[module]
    if module.partition(".")[0] not in _LIBRARIES or "." in name:
        return False
    if module == "numpy" and _SCALARS.fullmatch(name):
        return True
    return name[:1].isupper() or name in _MAKERS or name.startswith(("__pyx_", "_Cy"))


def _names(model: Any) -> list[str]:
    """The columns that the model itself remembers."""
    if hasattr(model, "feature_names_in_"):
        return [str(name) for name in model.feature_names_in_]
    if callable(getattr(model, "feature_name", None)):
        return [str(name) for name in model.feature_name()]
    return [str(name) for name in getattr(model, "feature_names", None) or []]


def _graph(model: Any, columns: list[list[str]]) -> tuple[bytes, bool]:
    """The graph, and whether it has an input per column."""
    from pilotage.models.brought.inside.conversion import booster_to_graph, pipeline_to_graph, to_graph

    if not hasattr(model, "get_params"):
        return booster_to_graph(model, len(columns)), False
    if _chooses_columns(model):
        kinds = [(name, "number" if kind in _NUMBERS else "text") for name, kind in columns]
        return pipeline_to_graph(model, kinds), True
    texts = [name for name, kind in columns if kind not in _NUMBERS]
    if texts:
        raise Refusal(f"its column {texts[0]} is not a number, and no step of it says what becomes of texts.", _EXPORT)
    return to_graph(model, len(columns)), False


def _chooses_columns(model: Any) -> bool:
    from sklearn.compose import ColumnTransformer

    return any(isinstance(one, ColumnTransformer) for one in [model, *model.get_params(deep=True).values()])


if __name__ == "__main__":
    answer(convert)
