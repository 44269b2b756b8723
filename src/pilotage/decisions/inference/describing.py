"""What a use case is to a client of the protocol: its fields as inputs, its answers as outputs. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from pilotage.decisions.inference.records import Datatype, ModelMetadata, Output, TensorMetadata, WantedTensor
from pilotage.decisions.records import Answer
from pilotage.platform.errors import InvalidRequest
from pilotage.usecase.records import ColumnKind, OutcomeKind, Plan

PLATFORM = "pilotage"
_DATATYPES: dict[ColumnKind, Datatype] = {
    "number": "FP64",
    "category": "BYTES",
    "datetime": "BYTES",
    "flag": "BOOL",
    "text": "BYTES",
}
_OF_EVERY_KIND: dict[str, Datatype] = {
    "action": "BYTES",
    "produced_by": "BYTES",
    "reason": "BYTES",
    "decision_id": "BYTES",
}
_BY_KIND: dict[OutcomeKind, dict[str, Datatype]] = {
    "flag": {"answer": "BOOL", "probability": "FP64"},
    "category": {"answer": "BYTES", "confidence": "FP64", "shares": "BYTES"},
    "number": {"value": "FP64", "low": "FP64", "high": "FP64"},
}
_OF_MODELS = frozenset({"probability", "confidence", "shares", "low", "high"})
"""What only a model says: left out of a reply in which no model answered."""


def datatypes(plan: Plan) -> dict[str, Datatype]:
    """The fields of a request, the entity first, with their datatypes."""
    return {plan.entity: "BYTES", **{name: _DATATYPES[column.kind] for name, column in plan.request.items()}}


def metadata(name: str, plan: Plan, kind: OutcomeKind, version: str | None) -> ModelMetadata:
    """Inputs and outputs by name. ``version`` is the live one; without one the rule answers."""
    entity = TensorMetadata(plan.entity, "BYTES", [-1], {"kind": "entity", "required": True})
    inputs = [entity]
    for field, column in plan.request.items():
        said: dict[str, Any] = {"kind": column.kind, "required": column.required}
        if column.unit:
            said["unit"] = column.unit
        inputs.append(TensorMetadata(field, _DATATYPES[column.kind], [-1], said))
    outputs = [TensorMetadata(each, datatype, [-1]) for each, datatype in _outputs(kind).items()]
    return ModelMetadata(name, [version] if version else [], PLATFORM, inputs, outputs)


def known(plan: Plan, row: dict[str, Any]) -> dict[str, Any]:
    """A row as the contract takes it: bytes cannot be missing, so an empty one of an optional field is."""
    optional = {name for name, column in plan.request.items() if not column.required}
    return {name: None if value == "" and name in optional else value for name, value in row.items()}


def check_wanted(kind: OutcomeKind, wanted: Sequence[WantedTensor] | None) -> None:
    """That each output asked for is one of this use case's.

    Raises:
        InvalidRequest: naming those that there are.
    """
    there = _outputs(kind)
    for each in wanted or ():
        if each.name not in there:
            raise InvalidRequest(f"There is no output {each.name}.", f"There are {', '.join(there)}.")


def outputs(kind: OutcomeKind, answers: Sequence[Answer], wanted: Sequence[WantedTensor] | None) -> Iterable[Output]:
    """The answers column by column, those asked for in their order, else all."""
    there = _outputs(kind)
    for name in [each.name for each in wanted] if wanted else there:
        values = [_value(answer, name) for answer in answers]
        if name not in _OF_MODELS or any(value is not None for value in values):
            yield Output(name, there[name], values)


def _outputs(kind: OutcomeKind) -> dict[str, Datatype]:
    return {**_BY_KIND[kind], **_OF_EVERY_KIND}


def _value(answer: Answer, name: str) -> Any:
    if name == "decision_id":
        return answer.id
    if name == "value":
        return answer.answer
    if name == "answer":
        return answer.positive if answer.answer is None else answer.answer
    if name == "shares":
        return msgspec.json.encode(answer.shares).decode() if answer.shares else None
    return getattr(answer, name)
