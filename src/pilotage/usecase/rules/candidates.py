"""Checks of the candidates: names, references, and what belongs to which kind of model from elsewhere."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pilotage.usecase.records import Brought, ColumnKind, OutcomeKind, UseCase
from pilotage.usecase.rules import expansion
from pilotage.usecase.rules.expressions.kinds import unknown_name
from pilotage.usecase.rules.places import Mistake, Path

TAKEN = frozenset({"rule", "human", "linear", "additive", "boosted"})
"""Names that candidates of ours have."""

_FUNCTION = re.compile(r"[\w./-]+\.py:[A-Za-z_]\w*|[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*|[A-Za-z_][\w.-]*")
_USER = re.compile(r"://[^/@\s]*@")
_PLAIN_HEADERS = frozenset({"accept", "accept-language", "user-agent", "content-type"})
_PLACES = ("onnx", "mlflow", "endpoint")
_OF_ENDPOINT = ("protocol", "model", "model_version", "headers", "body", "rows_at", "answer_at", "version_at")
_OF_PROTOCOL = {"open_inference": ("model", "model_version"), "json": ("body", "rows_at", "answer_at", "version_at")}
_NEEDED = {"open_inference": ("model",), "json": ("body", "answer_at"), "mlflow": ()}


def check_candidates(use_case: UseCase, kind: OutcomeKind) -> Iterator[Mistake]:
    """Everything under ``candidates`` that does not agree with itself or with the inputs."""
    candidates, path = use_case.candidates, ("candidates",)
    known: dict[str, ColumnKind] = {column.name: column.kind for column in expansion.columns(use_case)}
    for name in candidates.monotone:
        if name not in known:
            yield Mistake((*path, "monotone", name), unknown_name(name, "input", known))
        elif known[name] not in ("number", "flag"):
            yield Mistake((*path, "monotone", name), f"{name} is a {known[name]}; only numbers rise.", "Remove it.")
    yield from _weights((*path, "weights"), candidates.weights, kind)
    if candidates.texts == "embedding" and "text" not in known.values():
        message = "embedding reads columns of kind text, and no input is one."
        yield Mistake((*path, "texts"), message, "Remove it, or give the column that holds texts kind: text.")
    for section, names in (("own", candidates.own), ("brought", candidates.brought)):
        for name in names:
            if name in TAKEN:
                yield Mistake((*path, section, name), f"{name} is a candidate of ours.", "Give it another name.")
    for name in candidates.brought:
        if name in candidates.own:
            yield Mistake((*path, "brought", name), f"There is a {name} under own, too.", "Give one another name.")
    for name, own in candidates.own.items():
        if not _FUNCTION.fullmatch(own.estimator):
            repair = "Write package.module:function, path/of/file.py:function, or an entry point's name."
            yield Mistake((*path, "own", name, "estimator"), f"'{own.estimator}' names no function.", repair)
    for name, brought in candidates.brought.items():
        yield from _brought((*path, "brought", name), brought, known, kind)


def _weights(path: Path, weights: Any, kind: OutcomeKind) -> Iterator[Mistake]:
    if weights and kind == "number":
        yield Mistake(path, "Numbers have no classes that could be weighed.", "Remove weights.")
    if isinstance(weights, dict) and kind == "flag":
        for side in weights:
            if side not in ("positive", "negative"):
                yield Mistake((*path, side), unknown_name(side, "outcome", ("positive", "negative")))


def _brought(path: Path, given: Brought, known: Mapping[str, ColumnKind], kind: OutcomeKind) -> Iterator[Mistake]:
    places = [name for name in _PLACES if getattr(given, name)]
    if len(places) != 1:
        message = f"It has {' and '.join(places)}." if places else "It does not say where the model is."
        yield Mistake(path, message, "Give one of: onnx, mlflow, endpoint.")
        return
    if not given.examples:
        repair = "Give a file of rows with the answers it gave where it was trained: examples: path/examples.csv"
        yield Mistake(path, "examples is missing: nothing would show that it is asked as it was trained.", repair)
    yield from _columns(path, given, known)
    yield from _answers(path, given, kind)
    if given.endpoint:
        yield from _endpoint(path, given, known)
        return
    for name in _OF_ENDPOINT:
        if getattr(given, name):
            yield Mistake((*path, name), f"{name} belongs to endpoint; this model has {places[0]}.", f"Remove {name}.")


def _columns(path: Path, given: Brought, known: Mapping[str, ColumnKind]) -> Iterator[Mistake]:
    for name, columns in given.inputs.items():
        if not columns:
            yield Mistake((*path, "inputs", name), "It takes no column.", "List its columns in their order.")
        for number, column in enumerate([columns] if isinstance(columns, str) else columns):
            if column not in known:
                place = (*path, "inputs", name, number) if isinstance(columns, list) else (*path, "inputs", name)
                yield Mistake(place, unknown_name(column, "input", known))
    for column, codes in given.codes.items():
        if column not in known:
            yield Mistake((*path, "codes", column), unknown_name(column, "input", known))
        elif known[column] not in ("category", "text"):
            message = f"{column} is a {known[column]}, which needs no codes."
            yield Mistake((*path, "codes", column), message, "Remove it.")
        elif not codes:
            yield Mistake((*path, "codes", column), "It has no code.", "Write each text with its number: {new: 0}")


def _answers(path: Path, given: Brought, kind: OutcomeKind) -> Iterator[Mistake]:
    if len(set(given.classes)) < len(given.classes):
        yield Mistake((*path, "classes"), "A class stands here twice.", "List each once, in the order of training.")
    if kind == "number" and given.classes:
        yield Mistake((*path, "classes"), "An outcome that is a number has no classes.", "Remove classes.")
    for name, assumed in (("positive", ""), ("scale", "probability")):
        if kind != "flag" and getattr(given, name) != assumed:
            yield Mistake((*path, name), f"{name} belongs to an outcome of yes or no.", f"Remove {name}.")


def _endpoint(path: Path, given: Brought, known: Mapping[str, ColumnKind]) -> Iterator[Mistake]:
    yield from _address(path, given)
    if given.protocol is None:
        yield Mistake(path, "protocol is missing.", "Write protocol: open_inference, mlflow or json.")
        return
    for protocol, names in _OF_PROTOCOL.items():
        for name in names:
            if getattr(given, name) and protocol != given.protocol:
                message = f"{name} belongs to {protocol}; this endpoint speaks {given.protocol}."
                yield Mistake((*path, name), message, f"Remove {name}.")
    for name in _NEEDED[given.protocol]:
        if not getattr(given, name):
            yield Mistake(path, f"{name} is missing.", f"The protocol {given.protocol} needs it.")
    if given.body and given.protocol == "json":
        yield from _body((*path, "body"), given, known)


def _address(path: Path, given: Brought) -> Iterator[Mistake]:
    address = given.endpoint
    if not address.startswith(("env:", "https://", "http://")):
        yield Mistake((*path, "endpoint"), f"'{address}' is no address.", "Write https://host/path, or env:NAME.")
    elif _USER.search(address) or "?" in address:
        repair = "Put it into a header by reference: headers: {Authorization: env:ITS_NAME}"
        yield Mistake((*path, "endpoint"), "The address may hold a secret (a user, or what follows ?).", repair)
    for name, value in given.headers.items():
        if not value.startswith("env:") and name.lower() not in _PLAIN_HEADERS:
            repair = "Put it into an environment variable and write env:ITS_NAME."
            yield Mistake((*path, "headers", name), "A header may hold a secret.", repair)


def _body(path: Path, given: Brought, known: Mapping[str, ColumnKind]) -> Iterator[Mistake]:
    try:
        body = json.loads(given.body)
    except ValueError as error:
        yield Mistake(path, f"It is not JSON: {error}.", 'Write it as it is sent, with "$column" for a value.')
        return
    asked = [text[1:] for text in _texts(body) if text.startswith("$")]
    for name in asked:
        if name not in known:
            yield Mistake(path, unknown_name(name, "input", known))
    if not asked:
        yield Mistake(path, "It sends no column.", f'Write "${next(iter(known), "a_column")}" where a value belongs.')


def _texts(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    for one in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _texts(one)
