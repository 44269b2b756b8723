"""A model from elsewhere is taken, kept as files of safe formats, and brought back to life from them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec
from msgspec import Struct

from pilotage.models.brought import Foreign
from pilotage.models.brought.endpoint.scorer import Remote
from pilotage.models.brought.endpoint.taking import open_remote, take_endpoint
from pilotage.models.brought.examples import read_examples
from pilotage.models.brought.graph.described import Answered, GraphMapping
from pilotage.models.brought.graph.scorer import GraphScorer, MatrixScorer
from pilotage.models.brought.graph.taking import take_file
from pilotage.models.brought.mlflow.taking import take_directory
from pilotage.models.brought.own.fitting import FittedOwn
from pilotage.models.brought.parity import Compared
from pilotage.models.brought.wanted import Wanted
from pilotage.usecase.records import Brought

GRAPH, MAPPING, REMOTE, ANSWERED = "model.onnx", "mapping.json", "endpoint.json", "answered.json"


class Taken(Struct, frozen=True):
    """The files of a model that may be tried, how it compared with its examples, and what is to be known of it."""

    files: dict[str, bytes]
    compared: Compared
    parameters: dict[str, str]


def take(name: str, given: Brought, wanted: Wanted, project: Path, private_hosts: Iterable[str] = ()) -> Taken:
    """The model, once it answered its examples as it did where it was trained. Paths begin at ``project``.

    Raises:
        ModelRefused: it is not safe, does not fit the use case, does not answer, or answers something else.
        SettingsError: a variable that its endpoint needs is not set.
    """
    who = f"Candidate {given.title or name}"
    examples = read_examples(project / given.examples, wanted, who)
    about = {"examples": str(examples.count), "tolerance": f"{given.tolerance:g}"}
    if given.endpoint:
        taken = take_endpoint(given, examples, wanted, who, private_hosts)
        about |= {"endpoint": given.endpoint, "protocol": str(given.protocol), "version": taken.remote.version}
        return Taken({REMOTE: msgspec.json.encode(taken.remote)}, taken.compared, about)
    if given.mlflow:
        directory = take_directory(project / given.mlflow, given, examples, wanted, who)
        graph = directory.graph
        about |= {"mlflow": given.mlflow, "flavour": f"{directory.flavour} {directory.version}"}
        about["confined_by"] = "; ".join(directory.confined_by)
    else:
        graph = take_file(project / given.onnx, given, examples, wanted, who)
        about["onnx"] = given.onnx
    return Taken({GRAPH: graph.content, MAPPING: msgspec.json.encode(graph.mapping)}, graph.compared, about)


def revive(files: Mapping[str, bytes], who: str, private_hosts: Iterable[str] = ()) -> Foreign:
    """The model from the files of a signed artefact.

    Raises:
        SettingsError: a variable that its endpoint needs is not set.
        EgressRefused: its endpoint's address may not be called.
    """
    if REMOTE in files:
        return open_remote(msgspec.json.decode(files[REMOTE], type=Remote), private_hosts, who)
    return GraphScorer(files[GRAPH], msgspec.json.decode(files[MAPPING], type=GraphMapping))


def own_files(fitted: FittedOwn) -> dict[str, bytes]:
    """The files of a candidate of one's own; its encoder is kept beside them."""
    return {GRAPH: fitted.content, ANSWERED: msgspec.json.encode(fitted.answered)}


def revive_own(files: Mapping[str, bytes]) -> MatrixScorer:
    """The same, brought back to life: it takes encoded rows."""
    return MatrixScorer(files[GRAPH], msgspec.json.decode(files[ANSWERED], type=Answered))
