"""An ONNX file is taken: opened in a child first, asked the examples there and here, and held against them."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
from msgspec import Struct

from pilotage.models.brought.child import Limits, run, work_folder
from pilotage.models.brought.examples import Examples
from pilotage.models.brought.files import read_given
from pilotage.models.brought.graph.described import GraphMapping
from pilotage.models.brought.graph.scorer import GraphScorer
from pilotage.models.brought.parity import Compared, refuse_differing
from pilotage.models.brought.refused import ModelRefused, missing_extra
from pilotage.models.brought.wanted import Wanted
from pilotage.usecase.records import Brought

LIMITS = Limits(seconds=120.0)


class TakenGraph(Struct, frozen=True):
    """A checked graph, how it is asked, and how it compared with its examples."""

    content: bytes
    mapping: GraphMapping
    compared: Compared


def take_file(path: Path, given: Brought, examples: Examples, wanted: Wanted, who: str) -> TakenGraph:
    """The graph in a file.

    Raises:
        ModelRefused: it is no safe graph, does not fit the use case, or does not answer as its examples say.
    """
    return take_content(read_given(path, who), given, examples, wanted, who)


def take_content(content: bytes, given: Brought, examples: Examples, wanted: Wanted, who: str) -> TakenGraph:
    """The same of a graph that was converted here."""
    mapping, in_child = _tried_in_child(content, given, examples, wanted, who)
    try:
        scorer = GraphScorer(content, mapping)
        got = scorer.table(examples.rows)
        one = np.array(scorer.row(examples.rows.slice(0, 1).to_pylist()[0]))
    except ValueError as error:
        raise ModelRefused(f"{who}: {error}.", "See what it answers to the example rows.") from None
    if not np.array_equal(got, in_child) or not np.allclose(one, got[0], atol=1e-6):
        raise ModelRefused(f"{who}: it gives another answer each time.", "Export it without random operators.")
    return TakenGraph(content, mapping, refuse_differing(got, scorer.classes, examples, wanted, given.tolerance, who))


def _tried_in_child(
    content: bytes, given: Brought, examples: Examples, wanted: Wanted, who: str
) -> tuple[GraphMapping, np.ndarray]:
    import pyarrow.parquet as pq

    refuse_without_runtime(who)
    with work_folder() as folder:
        (folder / "model.onnx").write_bytes(content)
        pq.write_table(examples.rows, folder / "examples.parquet")
        task = {"given": msgspec.to_builtins(given), "wanted": msgspec.to_builtins(wanted)}
        said = run("check_graph", folder, task, LIMITS, who)
        return msgspec.convert(said["mapping"], GraphMapping), read_numbers(folder, "answers.npy", who)


def refuse_unsafe_graph(content: bytes, who: str) -> None:
    """Look at a graph in a child: what is refused of a graph that is brought is refused here, too.

    Raises:
        ModelRefused: operators that are not ONNX's own, data in other files, or what the runtime does not open.
    """
    refuse_without_runtime(who)
    with work_folder() as folder:
        (folder / "model.onnx").write_bytes(content)
        run("open_graph", folder, {}, LIMITS, who)


def read_numbers(folder: Path, name: str, who: str) -> np.ndarray:
    """An array of floats that a child left; one of anything else is refused."""
    import io

    from pilotage.models.brought.child import read_left

    content = read_left(folder, name, who)
    try:
        found = np.load(io.BytesIO(content))
    except ValueError as error:
        raise ModelRefused(f"{who}: its process left no readable numbers: {error}.") from None
    if not isinstance(found, np.ndarray) or found.dtype != np.float64:
        raise ModelRefused(f"{who}: its process left no 64-bit floats.")
    return found


def refuse_without_runtime(who: str) -> None:
    """Raises ModelRefused where the libraries are not installed that read and run graphs."""
    from importlib.util import find_spec

    for library in ("onnx", "onnxruntime"):
        if find_spec(library) is None:
            raise missing_extra(who, library, "onnx")
