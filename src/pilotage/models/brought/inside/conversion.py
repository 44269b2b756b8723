"""A fitted estimator of scikit-learn, LightGBM or XGBoost as a graph of ONNX over one matrix of 32-bit floats."""

from __future__ import annotations

from typing import Any

from pilotage.models.brought.inside.answering import Refusal

INPUT = "columns"
_OPSET = {"": 18, "ai.onnx.ml": 3}


def to_graph(estimator: Any, width: int) -> bytes:
    """The graph of an estimator that was fitted on a matrix of so many columns; a classifier gives probabilities.

    Raises:
        Refusal: it is of a library whose converter is not installed.
    """
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import FloatTensorType

    return _converted(to_onnx, estimator, [(INPUT, FloatTensorType([None, width]))])


def pipeline_to_graph(estimator: Any, inputs: list[tuple[str, str]]) -> bytes:
    """The graph of a pipeline that chooses its columns by name: an input per column, of floats or of strings.

    Raises:
        Refusal: it is of a library whose converter is not installed.
    """
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import FloatTensorType, StringTensorType

    types = {"number": FloatTensorType, "text": StringTensorType}
    return _converted(to_onnx, estimator, [(name, types[kind]([None, 1])) for name, kind in inputs])


def _converted(to_onnx: Any, estimator: Any, types: list[tuple[str, Any]]) -> bytes:
    for part in _parts(estimator):
        _register(part)
    options = {"zipmap": False} if hasattr(estimator, "predict_proba") else None
    graph = to_onnx(estimator, initial_types=types, options=options, target_opset=_OPSET)
    return bytes(graph.SerializeToString())


def _parts(estimator: Any) -> list[Any]:
    """The estimator and those inside it."""
    inner = [one for one in estimator.get_params(deep=True).values() if hasattr(one, "get_params")]
    return [estimator, *(one for one in inner if not isinstance(one, type))]


def _register(estimator: Any) -> None:
    """Teaches skl2onnx the estimators of other libraries, by the converters of onnxmltools."""
    library = type(estimator).__module__.partition(".")[0]
    if library not in ("lightgbm", "xgboost"):
        return
    try:
        from onnxmltools.convert.lightgbm.operator_converters.LightGbm import convert_lightgbm
        from onnxmltools.convert.xgboost.operator_converters.XGBoost import convert_xgboost
    except ImportError:
        raise Refusal(
            f"it holds an estimator of {library}, and onnxmltools is not installed.",
            "pip install 'pilotage[convert]'",
        ) from None
    from skl2onnx import update_registered_converter
    from skl2onnx.common.shape_calculator import (
        calculate_linear_classifier_output_shapes,
        calculate_linear_regressor_output_shapes,
    )

    if library == "xgboost" and hasattr(estimator, "get_booster"):
        estimator.get_booster().feature_names = None  # its converter reads positions, not names
    convert = convert_lightgbm if library == "lightgbm" else convert_xgboost
    is_classifier = hasattr(estimator, "predict_proba")
    shapes = calculate_linear_classifier_output_shapes if is_classifier else calculate_linear_regressor_output_shapes
    options = {"nocl": [True, False], "zipmap": [True, False, "columns"]} if is_classifier else {"split": None}
    name = f"{library}_{type(estimator).__name__}"
    update_registered_converter(type(estimator), name, shapes, convert, options=options)


def booster_to_graph(booster: Any, width: int) -> bytes:
    """The graph of a booster of LightGBM or XGBoost, without the wrapper of scikit-learn.

    Raises:
        Refusal: onnxmltools is not installed.
    """
    try:
        import onnxmltools
        from onnxmltools.convert.common.data_types import FloatTensorType
    except ImportError:
        raise Refusal("onnxmltools is not installed, which converts it.", "pip install 'pilotage[convert]'") from None
    types = [(INPUT, FloatTensorType([None, width]))]
    if type(booster).__module__.partition(".")[0] == "lightgbm":
        return bytes(onnxmltools.convert_lightgbm(booster, initial_types=types, zipmap=False).SerializeToString())
    booster.feature_names = None  # its converter reads positions, not names
    return bytes(onnxmltools.convert_xgboost(booster, initial_types=types).SerializeToString())
