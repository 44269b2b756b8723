"""What stands under candidates is checked against the inputs and the outcome before anything is tried."""

from __future__ import annotations

import pytest

from pilotage.usecase.flow import parse_definition
from tests.usecase.example import TEXT, problems

_ONNX = "brought: {theirs: {onnx: m.onnx, examples: e.csv, %s}}"
_REMOTE = "brought: {theirs: {endpoint: 'env:SCORER_URL', examples: e.csv, %s}}"


def _with(candidates: str) -> str:
    return f"{TEXT}\ncandidates:\n  {candidates}\n"


def test_own_and_brought_candidates_are_read() -> None:
    text = _with(
        "own: {forest: {estimator: 'models/mine.py:make'}, gam: {estimator: 'package.own:gam'}, hub: {estimator: hub}}"
        "\n  brought:\n"
        "    onnx: {onnx: m.onnx, inputs: {X: [distance, hour]}, codes: {carrier: {AA: 1}}, examples: e.csv}\n"
        "    remote: {endpoint: 'env:SCORER', protocol: json, body: '[\"$distance\"]', answer_at: p, examples: e.csv}"
    )
    candidates = parse_definition(text, "example.yaml").use_case.candidates
    assert candidates.brought["onnx"].inputs == {"X": ["distance", "hour"]}
    assert candidates.brought["onnx"].codes == {"carrier": {"AA": 1.0}}
    assert set(candidates.own) == {"forest", "gam", "hub"}


@pytest.mark.parametrize(
    ("candidates", "where", "says"),
    [
        ("monotone: {distanc: rises}", "candidates.monotone.distanc", "Did you mean distance?"),
        ("monotone: {carrier: rises}", "candidates.monotone.carrier", "carrier is a category"),
        ("weights: {positve: 2}", "candidates.weights.positve", "Did you mean positive?"),
        ("texts: embedding", "candidates.texts", "no input is one"),
        ("texts: meaning", "candidates.texts", "Known: embedding, words."),
        ("own: {boosted: {estimator: hub}}", "candidates.own.boosted", "is a candidate of ours"),
        ("own: {mine: {estimator: 'my model.make()'}}", "candidates.own.mine.estimator", "names no function"),
        ("brought: {theirs: {examples: e.csv}}", "candidates.brought.theirs", "does not say where the model is"),
        (_ONNX % "mlflow: m", "candidates.brought.theirs", "It has onnx and mlflow."),
        ("brought: {theirs: {onnx: m.onnx}}", "candidates.brought.theirs", "examples is missing"),
        (_ONNX % "inputs: {X: [distanc]}", "candidates.brought.theirs.inputs.X[0]", "Did you mean distance?"),
        (_ONNX % "inputs: {X: distanc}", "candidates.brought.theirs.inputs.X", "Did you mean distance?"),
        (_ONNX % "codes: {distance: {a: 1}}", "candidates.brought.theirs.codes.distance", "needs no codes"),
        (_ONNX % "classes: [a, a]", "candidates.brought.theirs.classes", "stands here twice"),
        (_ONNX % "protocol: mlflow", "candidates.brought.theirs.protocol", "protocol belongs to endpoint"),
        (_REMOTE % "title: T", "candidates.brought.theirs", "protocol is missing"),
        (_REMOTE % "protocol: open_inference", "candidates.brought.theirs", "model is missing"),
        (_REMOTE % "protocol: mlflow, model: m", "candidates.brought.theirs.model", "belongs to open_inference"),
        (
            _REMOTE % "protocol: mlflow, headers: {Authorization: secret}",
            "candidates.brought.theirs.headers.Authorization",
            "may hold a secret",
        ),
        (_REMOTE % "protocol: json, answer_at: p, body: '{'", "candidates.brought.theirs.body", "It is not JSON"),
        (
            _REMOTE % "protocol: json, answer_at: p, body: '\"$distanc\"'",
            "candidates.brought.theirs.body",
            "Did you mean distance?",
        ),
        (_REMOTE % "protocol: json, answer_at: p, body: '{}'", "candidates.brought.theirs.body", "sends no column"),
        (
            "brought: {theirs: {endpoint: 'https://u:p@host/x', protocol: mlflow, examples: e.csv}}",
            "candidates.brought.theirs.endpoint",
            "may hold a secret",
        ),
        (
            "brought: {theirs: {endpoint: host/x, protocol: mlflow, examples: e.csv}}",
            "candidates.brought.theirs.endpoint",
            "is no address",
        ),
    ],
)
def test_what_does_not_agree_is_named_with_its_place(candidates: str, where: str, says: str) -> None:
    found = [problem for problem in problems(_with(candidates)) if problem.where == where]
    assert found and any(says in f"{problem.message} {problem.repair}" for problem in found), problems(
        _with(candidates)
    )
    assert all(problem.line for problem in found)


def test_texts_are_read_by_words_unless_the_file_asks_for_an_embedding() -> None:
    assert parse_definition(TEXT, "example.yaml").use_case.candidates.texts == "words"
    with_a_text = TEXT.replace("carrier: category", "carrier: text", 1)
    found = problems(f"{with_a_text}\ncandidates: {{texts: embedding}}\n")
    assert "candidates.texts" not in {problem.where for problem in found}


def test_one_name_stands_for_one_candidate() -> None:
    text = _with("own: {mine: {estimator: hub}}\n  brought: {mine: {onnx: m.onnx, examples: e.csv}}")
    assert [problem.message for problem in problems(text)] == ["There is a mine under own, too."]
