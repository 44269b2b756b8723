"""Tensors to values and back: as JSON, and as bytes behind the JSON. Pure functions.

Source: the binary tensor data extension. Numbers are little-endian, a truth value is one byte, a text is its length in
four bytes and then its bytes.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import numpy as np

from pilotage.decisions.inference.records import (
    Datatype,
    GivenTensor,
    InferenceReply,
    InferenceRequest,
    Output,
    SentTensor,
)
from pilotage.platform.errors import InvalidRequest
from pilotage.platform.strictness import UNDECODABLE, demand_unique_names

ROWS_MAX = 1_000
"""Rows of one request."""

_NUMBERS = {
    "FP64": "<f8",
    "INT8": "<i1",
    "INT16": "<i2",
    "INT32": "<i4",
    "INT64": "<i8",
    "UINT8": "<u1",
    "UINT16": "<u2",
    "UINT32": "<u4",
    "UINT64": "<u8",
}
_ACCEPTED: dict[Datatype, tuple[str, ...]] = {"FP64": tuple(_NUMBERS), "BOOL": ("BOOL",), "BYTES": ("BYTES",)}
_LENGTH = struct.Struct("<I")
_decode = msgspec.json.Decoder(InferenceRequest).decode
_encode = msgspec.json.Encoder().encode


def parted(body: bytes, header_length: str | None) -> tuple[InferenceRequest, bytes]:
    """The request's JSON, and the bytes behind it; ``header_length`` is ``Inference-Header-Content-Length``.

    Raises:
        InvalidRequest: the length is no length within the body, or the JSON is not a request or names a field twice.
    """
    size = len(body)
    if header_length is not None:
        if not header_length.isdecimal() or not header_length.isascii() or int(header_length[:18]) > len(body):
            raise InvalidRequest("Inference-Header-Content-Length must be the size of the JSON before the tensors.")
        size = int(header_length[:18])
    try:
        request = _decode(body[:size])
    except UNDECODABLE as error:
        raise InvalidRequest(f"The body is no inference request: {error}.") from None
    demand_unique_names(body[:size])
    return request, body[size:]


def rows_of(request: InferenceRequest, binary: bytes, wanted: dict[str, Datatype]) -> list[dict[str, Any]]:
    """One request of the use case per row: field to value, None where it is not known.

    ``wanted`` are the fields with their datatypes. A field that is none of them is passed on: the contract refuses it.

    Raises:
        InvalidRequest: tensors that do not fit their datatype, shape or size, or each other.
    """
    columns: dict[str, list[Any]] = {}
    position = 0
    for tensor in request.inputs:
        if tensor.name in columns:
            raise InvalidRequest(f"Input {tensor.name} came twice.", "Send each input once.")
        _check_datatype(tensor, wanted.get(tensor.name))
        size = tensor.parameters.get("binary_data_size")
        if size is None:
            columns[tensor.name] = _from_json(tensor)
            continue
        if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size <= len(binary) - position:
            raise InvalidRequest(
                f"binary_data_size of input {tensor.name} must be a number of bytes that follow the JSON.",
                f"{len(binary) - position} bytes are left for it.",
            )
        columns[tensor.name] = _from_bytes(tensor, binary[position : position + size])
        position += size
    if position != len(binary):
        raise InvalidRequest(
            f"{len(binary) - position} bytes behind the JSON belong to no input.",
            "Name the size of each tensor in its binary_data_size.",
        )
    counts = {len(values) for values in columns.values()}
    if len(counts) != 1 or not 0 < min(counts) <= ROWS_MAX:
        raise InvalidRequest(
            f"All inputs must have the same 1 to {ROWS_MAX:,} rows; they have {sorted(counts)}.",
            "Send larger batches in parts.",
        )
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def reply_of(
    request: InferenceRequest, model: str, version: str | None, outputs: Iterable[Output]
) -> tuple[bytes, int | None]:
    """The reply's body, and the size of its JSON where tensors follow as bytes."""
    by_default = request.parameters.get("binary_data_output") is True
    as_binary = {each.name: each.parameters.get("binary_data", by_default) is True for each in request.outputs or ()}
    tensors, parts = [], []
    for output in outputs:
        shape = [len(output.values)]
        if as_binary.get(output.name, by_default):
            parts.append(_to_bytes(output))
            size = {"binary_data_size": len(parts[-1])}
            tensors.append(SentTensor(output.name, output.datatype, shape, parameters=size))
        else:
            tensors.append(SentTensor(output.name, output.datatype, shape, data=output.values))
    head = _encode(InferenceReply(model, tensors, version, request.id))
    return b"".join([head, *parts]), len(head) if parts else None


def _check_datatype(tensor: GivenTensor, wanted: Datatype | None) -> None:
    if wanted is None or tensor.datatype in _ACCEPTED[wanted]:
        return
    why = "Numbers of 32 bits are others than those a model learnt: convert them before." if wanted == "FP64" else ""
    raise InvalidRequest(f"Input {tensor.name} must be {wanted}; {tensor.datatype} came.", why)


def _rows(tensor: GivenTensor) -> int:
    """The rows that the shape names: one dimension, or a second one of 1."""
    if not tensor.shape or tensor.shape[0] < 0 or any(size != 1 for size in tensor.shape[1:]) or len(tensor.shape) > 2:
        raise InvalidRequest(f"Input {tensor.name} must have the shape [rows] or [rows, 1]; {tensor.shape} came.")
    return tensor.shape[0]


def _from_json(tensor: GivenTensor) -> list[Any]:
    values = tensor.data
    if values is None:
        raise InvalidRequest(f"Input {tensor.name} has no data.", "Send data, or binary_data_size and bytes.")
    rows = _rows(tensor)
    if len(tensor.shape) == 2 and all(isinstance(value, list) for value in values):
        values = [inner for value in values for inner in value]
    if len(values) != rows:
        raise InvalidRequest(f"Input {tensor.name} names {rows} rows and has {len(values)} values.")
    return values


def _from_bytes(tensor: GivenTensor, content: bytes) -> list[Any]:
    rows = _rows(tensor)
    if tensor.datatype == "BYTES":
        values = _texts(tensor.name, content)
    elif tensor.datatype == "BOOL":
        if content.strip(b"\x00\x01"):
            raise InvalidRequest(f"Input {tensor.name} must have bytes 0 and 1 only.")
        values = [byte == 1 for byte in content]
    elif tensor.datatype in _NUMBERS:
        values = _numbers(tensor, content)
    else:
        raise InvalidRequest(f"Input {tensor.name} has the datatype {tensor.datatype}, which no field has.")
    if len(values) != rows:
        raise InvalidRequest(f"Input {tensor.name} names {rows} rows and has {len(values)} values.")
    return values


def _numbers(tensor: GivenTensor, content: bytes) -> list[Any]:
    datatype = np.dtype(_NUMBERS[tensor.datatype])
    if len(content) % datatype.itemsize:
        raise InvalidRequest(f"Input {tensor.name} must have {datatype.itemsize} bytes per value.")
    values = np.frombuffer(content, datatype).tolist()
    if any(isinstance(value, float) and math.isinf(value) for value in values):
        raise InvalidRequest(f"Input {tensor.name} must be of finite numbers.", "NaN stands for what is not known.")
    return [None if value != value else value for value in values]


def _texts(name: str, content: bytes) -> list[Any]:
    values, position = [], 0
    while position < len(content):
        start = position + _LENGTH.size
        length = _LENGTH.unpack_from(content, position)[0] if start <= len(content) else len(content)
        if start + length > len(content):
            raise InvalidRequest(f"Input {name} ends within a text.", "A text is its length in four bytes, then it.")
        try:
            values.append(content[start : start + length].decode())
        except UnicodeDecodeError:
            raise InvalidRequest(f"Input {name} must be of texts in UTF-8.") from None
        position = start + length
    return values


def _to_bytes(output: Output) -> bytes:
    if output.datatype == "FP64":
        return np.array(output.values, dtype="<f8").tobytes()  # None becomes NaN
    if output.datatype == "BOOL":
        return bytes(value is True for value in output.values)
    return b"".join(_framed(output.values))


def _framed(values: Sequence[str | None]) -> Iterable[bytes]:
    for value in values:
        content = (value or "").encode()
        yield _LENGTH.pack(len(content))
        yield content
