"""The nouns of the protocol as they travel: tensors, requests, replies, what a model says of itself."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

Datatype = Literal["BOOL", "BYTES", "FP64"]


class GivenTensor(Struct, frozen=True):
    """An input of a request; its values are in ``data``, or behind the JSON where ``binary_data_size`` says so."""

    name: str
    shape: list[int]
    datatype: str
    data: list[Any] | None = None
    parameters: dict[str, Any] = {}


class WantedTensor(Struct, frozen=True):
    """An output that a request asks for."""

    name: str
    parameters: dict[str, Any] = {}


class InferenceRequest(Struct, frozen=True):
    """The JSON of ``POST …/infer``. ``parameters`` of other servers are left alone."""

    inputs: list[GivenTensor]
    id: str | None = None
    outputs: list[WantedTensor] | None = None
    parameters: dict[str, Any] = {}


class Output(Struct, frozen=True):
    """A named column of answers, one value per row; None where there is none."""

    name: str
    datatype: Datatype
    values: list[Any]


class SentTensor(Struct, frozen=True, omit_defaults=True):
    """An output of a reply."""

    name: str
    datatype: Datatype
    shape: list[int]
    data: list[Any] | None = None
    parameters: dict[str, Any] = {}


class InferenceReply(Struct, frozen=True, omit_defaults=True):
    """The JSON of what ``POST …/infer`` answers."""

    model_name: str
    outputs: list[SentTensor]
    model_version: str | None = None
    id: str | None = None


class TensorMetadata(Struct, frozen=True, omit_defaults=True):
    """What a model takes or gives under a name; −1 is the number of rows."""

    name: str
    datatype: Datatype
    shape: list[int]
    parameters: dict[str, Any] = {}


class ModelMetadata(Struct, frozen=True):
    """What a use case is to a client of the protocol."""

    name: str
    versions: list[str]
    platform: str
    inputs: list[TensorMetadata]
    outputs: list[TensorMetadata]
