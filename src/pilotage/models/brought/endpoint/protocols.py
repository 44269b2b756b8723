"""How an endpoint is asked and what its answer says: one function each for the three protocols that are spoken.

Sources: Open Inference Protocol v2 (https://github.com/kserve/open-inference-protocol), MLflow's scoring server
(https://mlflow.org/docs/latest/ml/deployment/deploy-model-locally/).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote

import msgspec
import numpy as np
from msgspec import Struct

from pilotage.usecase.records import Brought, ColumnKind

Rows = Sequence[Sequence[Any]]
"""Rows × columns, in the order of ``Asking.columns``."""
Answer = tuple[Any, str]
"""Outputs as an array of rows × values, or as one mapping of class to probability per row; and the model's version."""


class Asking(Struct, frozen=True):
    """A protocol with everything that this endpoint needs filled in."""

    path: str
    columns: tuple[str, ...]
    question: Callable[[Rows], Any]
    answer: Callable[[Any], Answer]
    rows_max: int = 500


def asking(given: Brought, kinds: dict[str, ColumnKind]) -> Asking:
    """How this endpoint is asked with these columns."""
    if given.protocol == "open_inference":
        return _open_inference(given, kinds)
    if given.protocol == "mlflow":
        return _mlflow(given, kinds)
    return _template(given, kinds)


def _open_inference(given: Brought, kinds: dict[str, ColumnKind]) -> Asking:
    fed = {name: [one] if isinstance(one, str) else list(one) for name, one in given.inputs.items()}
    fed = fed or {name: [name] for name in kinds}
    columns = tuple(dict.fromkeys(column for listed in fed.values() for column in listed))
    place = {name: number for number, name in enumerate(columns)}
    types = {name: _datatype(listed, given, kinds) for name, listed in fed.items()}

    def question(rows: Rows) -> Any:
        inputs = []
        for name, listed in fed.items():
            data = [_filled(row[place[column]], types[name], column) for row in rows for column in listed]
            inputs.append({"name": name, "shape": [len(rows), len(listed)], "datatype": types[name], "data": data})
        return {"inputs": inputs}

    def answer(said: Any) -> Answer:
        outputs = {str(one["name"]): one for one in said["outputs"]}
        floats = [name for name, one in outputs.items() if str(one.get("datatype", "")).startswith("FP")]
        name = given.output or (floats[0] if len(floats) == 1 else "")
        if name not in outputs:
            raise ValueError(f"of its outputs ({', '.join(outputs)}) none is named as the answer: output: its_name")
        found = np.array(outputs[name]["data"], dtype=np.float64)
        return found.reshape(outputs[name]["shape"][0], -1), str(said.get("model_version") or "")

    version = f"/versions/{quote(given.model_version, safe='')}" if given.model_version else ""
    return Asking(f"/v2/models/{quote(given.model, safe='')}{version}/infer", columns, question, answer)


def _datatype(columns: list[str], given: Brought, kinds: dict[str, ColumnKind]) -> str:
    found = {"FP64" if column in given.codes or kinds[column] == "number" else kinds[column] for column in columns}
    if found == {"flag"}:
        return "BOOL"
    return "FP64" if found <= {"FP64", "flag"} else "BYTES"


def _filled(value: Any, datatype: str, column: str) -> Any:
    if datatype == "BYTES":
        return "" if value is None else str(value)
    if value is None:
        raise ValueError(f"{column} is missing, and the Open Inference Protocol has no missing number")
    return value if datatype == "BOOL" else float(value)


def _mlflow(given: Brought, kinds: dict[str, ColumnKind]) -> Asking:
    theirs = {name: one if isinstance(one, str) else one[0] for name, one in given.inputs.items()}
    theirs = theirs or {name: name for name in kinds}
    names = list(theirs)

    def question(rows: Rows) -> Any:
        return {"dataframe_split": {"columns": names, "data": [list(row) for row in rows]}}

    def answer(said: Any) -> Answer:
        found = said["predictions"] if isinstance(said, dict) else said
        return _listed(found), ""

    return Asking("/invocations", tuple(theirs.values()), question, answer)


def _template(given: Brought, kinds: dict[str, ColumnKind]) -> Asking:
    template = msgspec.json.decode(given.body)
    columns = tuple(name for name in kinds if f"${name}" in set(_texts(template)))

    def question(rows: Rows) -> Any:
        filled = [_with_values(template, dict(zip(columns, row, strict=True))) for row in rows]
        return _nested(given.rows_at, filled) if given.rows_at else filled[0]

    def answer(said: Any) -> Answer:
        found = _at(said, given.answer_at)
        version = str(_at(said, given.version_at)) if given.version_at else ""
        return _listed(found if given.rows_at else [found]), version

    return Asking("", columns, question, answer, 500 if given.rows_at else 1)


def _listed(found: Any) -> Any:
    """A list with a number, a list of numbers, or a mapping of class to probability per row."""
    if not isinstance(found, list):
        raise ValueError("its answer is not a list with one answer per row")
    if found and all(isinstance(one, dict) for one in found):
        return found
    try:
        return np.array(found, dtype=np.float64).reshape(len(found), -1)
    except (TypeError, ValueError):
        hint = "a label has no probability: have it serve predict_proba"
        raise ValueError(f"its answers are no numbers ({str(found[:1])[:80]}); {hint}") from None


def _texts(node: Any) -> list[str]:
    if isinstance(node, str):
        return [node]
    inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return [text for one in inner for text in _texts(one)]


def _with_values(node: Any, values: dict[str, Any]) -> Any:
    if isinstance(node, str) and node[:1] == "$" and node[1:] in values:
        return values[node[1:]]
    if isinstance(node, dict):
        return {name: _with_values(one, values) for name, one in node.items()}
    return [_with_values(one, values) for one in node] if isinstance(node, list) else node


def _nested(path: str, value: Any) -> Any:
    for step in reversed(path.split(".")):
        value = {step: value}
    return value


def _at(said: Any, path: str) -> Any:
    for step in path.split(".") if path else ():
        try:
            said = said[int(step)] if isinstance(said, list) else said[step]
        except (KeyError, IndexError, TypeError, ValueError):
            raise ValueError(f"its answer has nothing at {path}") from None
    return said
