"""Which candidates are tried against the rule, and what holds for all of them."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from pilotage.usecase.records.parts import Duration, Identifier, Name, Part, Text

BuiltIn = Literal["linear", "additive", "boosted"]
Direction = Literal["rises", "falls"]


class Own(Part, frozen=True, kw_only=True):
    """A candidate of your own: a function in Python that makes an estimator of scikit-learn."""

    estimator: Annotated[
        Text, Meta(description="package.module:function, path/of/file.py:function, or the name of an entry point.")
    ]
    title: Annotated[str, Meta(description="Its name for people; its key when empty.")] = ""
    timeout: Annotated[Duration, Meta(description="How long it may take to learn.")] = "10 minutes"


class Brought(Part, frozen=True, kw_only=True):
    """A model that was trained elsewhere: exactly one of an ONNX file, an MLflow model directory, an endpoint."""

    onnx: Annotated[str, Meta(description="An ONNX file's path, relative to this file.")] = ""
    mlflow: Annotated[str, Meta(description="An MLflow model's directory, relative to this file.")] = ""
    endpoint: Annotated[str, Meta(description="A remote model's address, which may begin with env:NAME.")] = ""
    title: Annotated[str, Meta(description="Its name for people; its key when empty.")] = ""


class Candidates(Part, frozen=True, kw_only=True):
    """What is tried against the rule, and within which limits."""

    only: Annotated[list[BuiltIn], Meta(description="Which of the built-in candidates are tried; all when empty.")] = []
    budget: Annotated[
        Duration | None,
        Meta(description="How long the search for better settings may take; without it, the settings are fixed."),
    ] = None
    weights: Annotated[
        Literal["balanced"] | dict[str, Annotated[float, Meta(gt=0)]] | None,
        Meta(description="How much a row of each outcome counts in learning: balanced, or each outcome's weight."),
    ] = None
    monotone: Annotated[
        dict[Identifier, Direction],
        Meta(description="Inputs of numbers in which the prediction may only rise, or only fall, all else equal."),
    ] = {}
    own: Annotated[dict[Name, Own], Meta(description="Candidates of your own, by name.")] = {}
    brought: Annotated[dict[Name, Brought], Meta(description="Models that were trained elsewhere, by name.")] = {}
