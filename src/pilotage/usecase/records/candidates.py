"""Which candidates are tried against the rule, and what holds for all of them."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from pilotage.usecase.records.parts import Duration, Identifier, Name, Part, Text

BuiltIn = Literal["linear", "additive", "boosted"]
Direction = Literal["rises", "falls"]
Texts = Literal["words", "embedding"]


class Own(Part, frozen=True, kw_only=True):
    """A candidate of your own: a function in Python that makes an estimator of scikit-learn."""

    estimator: Annotated[
        Text, Meta(description="package.module:function, path/of/file.py:function, or the name of an entry point.")
    ]
    title: Annotated[str, Meta(description="Its name for people; its key when empty.")] = ""
    timeout: Annotated[Duration, Meta(description="How long it may take to learn.")] = "10 minutes"


Scale = Literal["probability", "log_odds"]
Protocol = Literal["open_inference", "mlflow", "json"]


class Brought(Part, frozen=True, kw_only=True):
    """A model that was trained elsewhere: exactly one of an ONNX file, an MLflow model directory, an endpoint."""

    onnx: Annotated[str, Meta(description="An ONNX file's path, relative to this file.")] = ""
    mlflow: Annotated[str, Meta(description="An MLflow model's directory, relative to this file.")] = ""
    endpoint: Annotated[str, Meta(description="A remote model's address: env:NAME, or https://host/path.")] = ""
    title: Annotated[str, Meta(description="Its name for people; its key when empty.")] = ""
    examples: Annotated[
        str, Meta(description="Rows with the answers that it has to give: a CSV, JSON-lines or Parquet file's path.")
    ] = ""
    tolerance: Annotated[
        float, Meta(gt=0, le=0.1, description="How far an answer may lie from the example's; of a number, relatively.")
    ] = 1e-4
    inputs: Annotated[
        dict[str, str | list[str]],
        Meta(description="The model's input → the column it takes, or all columns of a matrix in their order."),
    ] = {}
    codes: Annotated[
        dict[str, dict[str, float]],
        Meta(description="Column → text → the number the model was trained with for it; any other text is missing."),
    ] = {}
    output: Annotated[str, Meta(description="The model's output that is the answer; found when empty.")] = ""
    classes: Annotated[
        list[str], Meta(description="Which class each probability of the output belongs to, in their order.")
    ] = []
    positive: Annotated[str, Meta(description="The class that means positive; the second of two when empty.")] = ""
    scale: Annotated[Scale, Meta(description="What a yes-or-no model answers: a probability, or its log-odds.")] = (
        "probability"
    )
    protocol: Annotated[Protocol | None, Meta(description="How an endpoint is asked.")] = None
    model: Annotated[str, Meta(description="open_inference: the model's name at its endpoint.")] = ""
    model_version: Annotated[str, Meta(description="open_inference: which version is asked; its newest if empty.")] = ""
    headers: Annotated[dict[str, str], Meta(description="Headers to send; values by reference: env:NAME.")] = {}
    timeout_ms: Annotated[int, Meta(ge=10, le=60_000, description="How long one answer of an endpoint may take.")] = 500
    body: Annotated[
        str, Meta(description='json: what is sent for a row, as JSON in which "$column" stands for a value.')
    ] = ""
    rows_at: Annotated[
        str, Meta(description="json: where the list of rows lies in a question: instances; one row alone if empty.")
    ] = ""
    answer_at: Annotated[
        str, Meta(description="json: where a row's answer lies: score; with rows_at the list of them: predictions.")
    ] = ""
    version_at: Annotated[
        str, Meta(description="json: where the model's version lies in an answer; none if empty.")
    ] = ""


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
    texts: Annotated[
        Texts, Meta(description="How columns of kind text are read: by their words, or by a sentence model as well.")
    ] = "words"
    own: Annotated[dict[Name, Own], Meta(description="Candidates of your own, by name.")] = {}
    brought: Annotated[dict[Name, Brought], Meta(description="Models that were trained elsewhere, by name.")] = {}
