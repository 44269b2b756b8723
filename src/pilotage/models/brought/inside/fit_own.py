"""Fits a candidate that somebody wrote, in a process of its own, and leaves a graph and the estimator's own answers."""

from __future__ import annotations

import hashlib
import importlib
import inspect
import sys
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from pilotage.models.brought.inside.answering import Refusal, answer, now
from pilotage.models.brought.inside.check_graph import refuse_unsafe
from pilotage.models.brought.inside.conversion import to_graph

GROUP = "pilotage.candidates"
_MODULE = "pilotage_own_candidate"
_TEXT_MAX = 200
_IMPUTE = "Include an imputer (SimpleImputer): a number that is missing is NaN."
_CONVERTIBLE = (
    "Use estimators that skl2onnx converts (https://onnx.ai/sklearn-onnx/supported.html); LightGBM in place of "
    "HistGradientBoosting."
)


def fit(folder: Path, task: dict[str, Any]) -> dict[str, Any]:
    """Fits on the teaching rows, converts, and answers the asked rows with the estimator itself."""
    import numpy as np

    matrix, asked = np.load(folder / "teach.npy"), np.load(folder / "asked.npy")
    labels = np.load(folder / "labels.npy")
    weights = np.load(folder / "weights.npy") if (folder / "weights.npy").exists() else None
    estimator, source = _made(task)
    of_nan = _IMPUTE if np.isnan(matrix).any() or np.isnan(asked).any() else ""
    now("learning", "Try fit() on a few rows.", of_nan)
    estimator.fit(matrix, labels, **_weighted(estimator, weights))
    now("answering", "Try predict_proba() or predict() on a few rows.", of_nan)
    own = _answers(estimator, asked, task)
    now("being converted to ONNX", _CONVERTIBLE)
    content = to_graph(estimator, matrix.shape[1])
    refuse_unsafe(content)
    (folder / "model.onnx").write_bytes(content)
    np.save(folder / "own.npy", own.astype(np.float64))
    return {"parameters": _parameters(estimator), "libraries": _libraries(estimator), "source": source}


def _made(task: dict[str, Any]) -> tuple[Any, str]:
    """The unfitted estimator with the seed in every random_state that is open, and its file's SHA-256."""
    now("being loaded", "Run the file by itself: python path/of/file.py")
    make, source = _function(task["estimator"], Path(task["project"]))
    now("making its estimator", "Call the function by itself; it takes nothing, or the task's kind as `kind`.")
    estimator = make(**({"kind": task["kind"]} if _takes_kind(make) else {}))
    wanted = "predict" if task["kind"] == "number" else "predict_proba"
    if inspect.isclass(estimator) or not all(callable(getattr(estimator, one, None)) for one in ("fit", "get_params")):
        what = f"the class {estimator.__name__}" if inspect.isclass(estimator) else f"a {type(estimator).__name__}"
        message = f"{task['estimator']} gives {what}, which is no estimator of scikit-learn."
        raise Refusal(message, "Return an unfitted estimator: return make_pipeline(SimpleImputer(), …)")
    if not hasattr(estimator, wanted):
        message = f"{type(estimator).__name__} has no {wanted}, which an outcome of this kind ({task['kind']}) needs."
        raise Refusal(message, "Return a classifier with probabilities, for a number a regressor.")
    random = [
        one for one, value in estimator.get_params(deep=True).items() if one.endswith("random_state") and value is None
    ]
    return estimator.set_params(**dict.fromkeys(random, task["seed"])), source


def _function(reference: str, project: Path) -> tuple[Callable[..., Any], str]:
    """The function behind package.module:function, path/of/file.py:function, or an entry point's name."""
    sys.path.insert(0, str(project))
    place, _, name = reference.rpartition(":")
    if not place:
        found = list(entry_points(group=GROUP, name=reference))
        if not found:
            known = ", ".join(sorted(one.name for one in entry_points(group=GROUP))) or "none"
            raise Refusal(
                f"no package offers {reference} in the entry point group {GROUP} (known: {known}).", "Install it."
            )
        return found[0].load(), ""
    module, source = _from_file(project / place) if place.endswith(".py") else (_from_package(place), "")
    if not callable(getattr(module, name, None)):
        raise Refusal(f"{place} has no function {name}.", "Name the function that makes the estimator.")
    return getattr(module, name), source


def _from_package(place: str) -> ModuleType:
    try:
        return importlib.import_module(place)
    except ModuleNotFoundError as error:
        if error.name and (place == error.name or place.startswith(error.name + ".")):
            raise Refusal(
                f"there is no module {place}.", "Install its package, or give a path: models/mine.py:make"
            ) from None
        raise


def _from_file(path: Path) -> tuple[ModuleType, str]:
    from importlib.util import module_from_spec, spec_from_file_location

    if not path.is_file():
        raise Refusal(f"there is no file {path}.", "Paths are relative to the use-case file.")
    spec = spec_from_file_location(_MODULE, path)
    if spec is None or spec.loader is None:
        raise Refusal(f"{path} is no file of Python.", "Give path/of/file.py:function")
    module = sys.modules[_MODULE] = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module, hashlib.sha256(path.read_bytes()).hexdigest()


def _takes_kind(make: Callable[..., Any]) -> bool:
    try:
        return "kind" in inspect.signature(make).parameters
    except ValueError:  # of a function in C
        return False


def _weighted(estimator: Any, weights: Any) -> dict[str, Any]:
    from sklearn.pipeline import Pipeline
    from sklearn.utils.validation import has_fit_parameter

    if weights is None:
        return {}
    last, prefix = estimator, ""
    while isinstance(last, Pipeline):
        name, last = last.steps[-1]
        prefix += f"{name}__"
    if not has_fit_parameter(last, "sample_weight"):
        raise Refusal(
            f"{type(last).__name__} cannot weigh rows, and `candidates.weights` asks for it.", "Remove either."
        )
    return {f"{prefix}sample_weight": weights}


def _answers(estimator: Any, asked: Any, task: dict[str, Any]) -> Any:
    """Rows × outputs by the estimator itself."""
    import numpy as np

    if task["kind"] == "number":
        return np.asarray(estimator.predict(asked), dtype=np.float64).reshape(len(asked), -1)
    learnt = [int(one) for one in estimator.classes_]
    if learnt != list(range(task["classes"])):
        raise Refusal(f"it learnt {len(learnt)} of {task['classes']} classes.", "Let it keep every class it is taught.")
    probabilities = np.asarray(estimator.predict_proba(asked), dtype=np.float64)
    return probabilities[:, 1:] if task["kind"] == "flag" else probabilities


def _parameters(estimator: Any) -> dict[str, str]:
    simple = (str, int, float, bool, type(None))
    found = {name: value for name, value in estimator.get_params(deep=True).items() if isinstance(value, simple)}
    return {"estimator": type(estimator).__name__, **{name: str(value)[:_TEXT_MAX] for name, value in found.items()}}


def _libraries(estimator: Any) -> dict[str, str]:
    used = {"sklearn", "skl2onnx", type(estimator).__module__.partition(".")[0]}
    return {name: str(getattr(sys.modules[name], "__version__", "")) for name in sorted(used) if name in sys.modules}


if __name__ == "__main__":
    answer(fit)
