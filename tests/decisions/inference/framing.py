"""Requests and replies of the protocol by hand, as its text describes them: no client's help, none of ours."""

from __future__ import annotations

import json
import struct
from typing import Any

import httpx

ENTITIES = ["t1", "t2", "t3"]
SIZES = [7.0, 4.0, 9.0]
TIMES = ["2013-12-05T19:00:00Z"] * 3


def tensor(name: str, datatype: str, data: list[Any]) -> dict[str, Any]:
    """An input with its values in the JSON."""
    return {"name": name, "datatype": datatype, "shape": [len(data)], "data": data}


def inputs() -> list[dict[str, Any]]:
    """Three rows of the small use case."""
    return [tensor("thing", "BYTES", ENTITIES), tensor("size", "FP64", SIZES), tensor("at", "BYTES", TIMES)]


def texts(values: list[str]) -> bytes:
    """BYTES as bytes."""
    return b"".join(struct.pack("<I", len(value.encode())) + value.encode() for value in values)


def doubles(values: list[float]) -> bytes:
    """FP64 as bytes."""
    return struct.pack(f"<{len(values)}d", *values)


def binary(parts: list[tuple[str, str, list[int], bytes]], **more: Any) -> tuple[bytes, dict[str, str]]:
    """A body whose tensors follow its JSON, and its headers."""
    sent = [
        {"name": name, "datatype": datatype, "shape": shape, "parameters": {"binary_data_size": len(content)}}
        for name, datatype, shape, content in parts
    ]
    head = json.dumps({"inputs": sent, **more}).encode()
    return head + b"".join(part[3] for part in parts), {"Inference-Header-Content-Length": str(len(head))}


def three_rows(**more: Any) -> tuple[bytes, dict[str, str]]:
    """The same three rows, as bytes."""
    return binary(
        [
            ("thing", "BYTES", [3], texts(ENTITIES)),
            ("size", "FP64", [3, 1], doubles(SIZES)),
            ("at", "BYTES", [3], texts(TIMES)),
        ],
        **more,
    )


def outputs(reply: httpx.Response) -> dict[str, list[Any]]:
    """The outputs of a reply by name, whether they came in JSON or as bytes."""
    assert reply.status_code == 200, reply.text
    size = int(reply.headers.get("Inference-Header-Content-Length", len(reply.content)))
    said, rest = json.loads(reply.content[:size]), reply.content[size:]
    found: dict[str, list[Any]] = {}
    for each in said["outputs"]:
        if "data" in each:
            found[each["name"]] = each["data"]
            continue
        length = each["parameters"]["binary_data_size"]
        content, rest = rest[:length], rest[length:]
        found[each["name"]] = _values(each["datatype"], content)
        assert each["shape"] == [len(found[each["name"]])]
    assert rest == b""
    return found


def _values(datatype: str, content: bytes) -> list[Any]:
    if datatype == "FP64":
        return list(struct.unpack(f"<{len(content) // 8}d", content))
    if datatype == "BOOL":
        return [byte == 1 for byte in content]
    values = []
    while content:
        (length,) = struct.unpack_from("<I", content)
        values.append(content[4 : 4 + length].decode())
        content = content[4 + length :]
    return values
