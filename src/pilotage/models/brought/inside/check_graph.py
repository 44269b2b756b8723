"""Opens an ONNX file in a process of its own, so that one that is malformed cannot take the server with it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from pilotage.models.brought.graph.described import Described, Tensor
from pilotage.models.brought.graph.runtime import failures, session
from pilotage.models.brought.graph.scorer import GraphScorer
from pilotage.models.brought.graph.settling import settled
from pilotage.models.brought.inside.answering import Refusal, answer, words
from pilotage.models.brought.wanted import Wanted
from pilotage.usecase.records import Brought

_DOMAINS = frozenset({"", "ai.onnx", "ai.onnx.ml"})
_DEPTH_MAX = 8


def check(folder: Path, task: dict[str, Any]) -> dict[str, Any]:
    """How the graph is asked, once it was found to be one that can be taken and has answered the examples."""
    content = (folder / "model.onnx").read_bytes()
    refuse_unsafe(content)
    return _tried(folder, task, described(content))


def refuse_unsafe(content: bytes) -> None:
    """Refuses what is no graph of ONNX's own operators in one file.

    Raises:
        Refusal: what is wrong with it.
    """
    import onnx
    from google.protobuf.message import DecodeError

    try:
        model = onnx.load_model_from_string(content)
    except (DecodeError, ValueError) as error:
        raise Refusal(
            f"it is not an ONNX file ({words(error)}).", "Export the model with skl2onnx or onnxmltools."
        ) from None
    if not model.graph.node or not model.graph.output or not model.ir_version:
        raise Refusal("it is not an ONNX file: it holds no graph.", "Export the model with skl2onnx or onnxmltools.")
    _refuse_parts(model)


def _refuse_parts(model: Any) -> None:
    import onnx

    if model.functions or model.training_info:
        raise Refusal("it holds functions or training graphs of its own.", "Export it for inference, without them.")
    for graph in _graphs(model.graph, 0):
        for tensor in _tensors(graph):
            if tensor.external_data or tensor.data_location == onnx.TensorProto.EXTERNAL:
                raise Refusal(
                    f"its tensor {tensor.name or 'without a name'} lies in another file.",
                    "Save it as one file: onnx.save(model, path, save_as_external_data=False).",
                )
        strange = sorted({f"{node.domain}.{node.op_type}" for node in graph.node if node.domain not in _DOMAINS})
        if strange:
            raise Refusal(
                f"it needs custom operators: {', '.join(strange[:5])}.",
                "Only operators of ONNX and ONNX-ML are run; export it without extensions.",
            )


def _graphs(graph: Any, depth: int) -> Iterator[Any]:
    """A graph and those inside its nodes (branches and loops)."""
    if depth > _DEPTH_MAX:
        raise Refusal(f"its graphs are nested deeper than {_DEPTH_MAX} levels.", "Export a simpler model.")
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            for inner in (*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs):
                yield from _graphs(inner, depth + 1)


def _tensors(graph: Any) -> Iterator[Any]:
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)
    for node in graph.node:
        for attribute in node.attribute:
            yield from ([attribute.t] if attribute.HasField("t") else [])
            yield from attribute.tensors
            sparse_ones = (*([attribute.sparse_tensor] if attribute.HasField("sparse_tensor") else []),)
            for sparse in (*sparse_ones, *attribute.sparse_tensors):
                yield from (sparse.values, sparse.indices)


def _tried(folder: Path, task: dict[str, Any], found: Described) -> dict[str, Any]:
    """The way of asking that was settled, after all examples were asked that way."""
    import numpy as np
    import pyarrow.parquet as pq

    given, wanted = msgspec.convert(task["given"], Brought), msgspec.convert(task["wanted"], Wanted)
    mapping = settled(given, found, wanted)
    rows = pq.read_table(folder / "examples.parquet")
    lacking = sorted({name for fed in mapping.fed for name in fed.columns} - set(rows.column_names))
    if lacking:
        raise Refusal(f"its examples have no column {lacking[0]}.", "Add it: the model is asked with it.")
    try:
        scorer = GraphScorer((folder / "model.onnx").read_bytes(), mapping)
        mapping = scorer.completed(rows)
        np.save(folder / "answers.npy", GraphScorer((folder / "model.onnx").read_bytes(), mapping).table(rows))
    except ValueError as error:
        raise Refusal(f"{error}.", "See what it answers to the example rows.") from None
    return {"described": msgspec.to_builtins(found), "mapping": msgspec.to_builtins(mapping)}


def described(content: bytes) -> Described:
    """What the runtime says of the graph.

    Raises:
        Refusal: it cannot load it.
    """
    try:
        opened = session(content)
    except failures() as error:
        raise Refusal(f"onnxruntime cannot load it: {words(error)}", "Check it: onnx.checker.check_model") from None
    return Described(
        tuple(_described(one) for one in opened.get_inputs()), tuple(_described(one) for one in opened.get_outputs())
    )


def _described(one: Any) -> Tensor:
    return Tensor(one.name, one.type, tuple(size if isinstance(size, int) else None for size in one.shape or ()))


if __name__ == "__main__":
    answer(check)
