"""Estimators of one's own and models from elsewhere are compared, kept and released like any other candidate."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import onnx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pilotage.models import artefacts, flow, trial
from pilotage.models.brought.refused import ModelRefused
from pilotage.models.flow import bringing
from pilotage.models.records import Comparison
from pilotage.platform.errors import CorruptArtefact
from pilotage.platform.settings import Settings
from pilotage.platform.workspace import Workspace, open_workspace
from pilotage.usecase.records import Brought, Candidates, Definition, Own
from tests.models import flights
from tests.models.conftest import Trained
from tests.models.hostile import refused

MINE = """
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline

def forest():
    return make_pipeline(SimpleImputer(), RandomForestClassifier(30, max_depth=8))

def raises():
    return {}["nothing here"]
"""
NUMBERS = ("distance_miles", "departure_hour", "recent_origin_late_1d")


def with_candidates(definition: Definition, candidates: Candidates) -> Definition:
    use_case = msgspec.structs.replace(definition.use_case, candidates=candidates)
    return msgspec.structs.replace(definition, use_case=use_case)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, rows: pa.Table) -> Path:
    """A folder with an estimator in Python, and a logistic regression that somebody else exported, with examples."""
    skl2onnx = pytest.importorskip("skl2onnx")
    from sklearn.linear_model import LogisticRegression

    folder = tmp_path_factory.mktemp("project")
    (folder / "mine.py").write_text(textwrap.dedent(MINE))
    known = rows.filter(rows["label"].is_valid()).select([*NUMBERS, "label"]).drop_null()
    matrix = np.column_stack([known[name].to_numpy() for name in NUMBERS]).astype(np.float32)
    model = LogisticRegression(max_iter=500).fit(matrix, known["label"].to_numpy(zero_copy_only=False).astype(int))
    kinds = [("float_input", skl2onnx.common.data_types.FloatTensorType([None, len(NUMBERS)]))]
    graph = skl2onnx.convert_sklearn(model, initial_types=kinds, options={"zipmap": False})
    (folder / "theirs.onnx").write_bytes(graph.SerializeToString())
    examples = known.slice(0, 50).drop(["label"])
    expected = model.predict_proba(matrix[:50])[:, 1]
    pq.write_table(examples.append_column("expected", pa.array(expected)), folder / "examples.parquet")
    return folder


@pytest.fixture(scope="module")
def compared(project: Path, trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, Comparison]:
    work = open_workspace(Settings(home=tmp_path_factory.mktemp("bringing") / "home"))
    theirs = Brought(
        onnx=str(project / "theirs.onnx"),
        inputs={"float_input": list(NUMBERS)},
        output="probabilities",
        examples=str(project / "examples.parquet"),
        title="Theirs",
    )
    candidates = Candidates(
        only=["linear"],
        own={
            "forest": Own(estimator=f"{project / 'mine.py'}:forest"),
            "broken": Own(estimator=f"{project / 'mine.py'}:raises"),
        },
        brought={
            "theirs": theirs,
            "gone": msgspec.structs.replace(theirs, onnx="nowhere.onnx", title="Gone"),
        },
    )
    said: list[str] = []
    definition = with_candidates(trained.definition, candidates)
    rows = trained.rows
    return work, flow.compare_on(work, definition, flights.training_set(rows), rows, said.append)


def test_both_are_measured_on_the_same_decisions_as_the_rule(compared: tuple[Workspace, Comparison]) -> None:
    comparison = compared[1]
    assert [one.candidate for one in comparison.candidates] == ["rule", "linear", "forest", "theirs"]
    assert {one.candidate for one in comparison.differences} == {"linear", "forest", "theirs"}
    by_name = {one.candidate: one for one in comparison.candidates}
    assert by_name["forest"].measures["auc"].value > 0.6
    assert by_name["theirs"].measures["auc"].value > 0.5
    assert by_name["theirs"].reliability is not None


def test_what_cannot_be_taken_is_refused_with_the_reason_and_the_others_go_on(
    compared: tuple[Workspace, Comparison],
) -> None:
    reasons = compared[1].refused
    assert set(reasons) == {"broken", "gone"}
    assert "KeyError" in reasons["broken"]
    assert "nowhere.onnx" in reasons["gone"]


@pytest.mark.parametrize("name", ["forest", "theirs"])
def test_the_artefact_is_loaded_and_answers_one_row_as_many(
    compared: tuple[Workspace, Comparison], trained: Trained, name: str
) -> None:
    work, comparison = compared
    digest = comparison.artefacts[name]
    scorer = flow.load_artefact(work, digest, flow.sign_artefact(work, digest))
    some = trained.rows.slice(14_000, 100)
    many = scorer.outputs(some)[:, 0]
    alone = [scorer.predict(values).score for values in some.to_pylist()]
    assert np.abs(many - alone).max() < 1e-4
    assert scorer.signals(some.slice(0, 1).to_pylist()[0]) == ()
    assert scorer.counter_examples(some.slice(0, 1).to_pylist()[0], top=1) is not None
    assert scorer.manifest.family == {"forest": "own", "theirs": "brought"}[name]


def test_a_signed_graph_is_looked_at_once_in_its_life(
    compared: tuple[Workspace, Comparison], monkeypatch: pytest.MonkeyPatch
) -> None:
    work, comparison = compared
    digest = comparison.artefacts["theirs"]
    signature = flow.sign_artefact(work, digest)

    def forbidden(content: bytes, who: str) -> None:
        raise ModelRefused(f"{who} was looked at")

    monkeypatch.setattr(trial, "refuse_unsafe_graph", forbidden)
    flow.load_artefact(work, digest, signature)
    for note in (work.home / "tried").iterdir():
        note.unlink()
    with pytest.raises(CorruptArtefact, match="was looked at"):
        flow.load_artefact(work, digest, signature)


def _with_a_strange_operator(content: bytes) -> bytes:
    model = onnx.load_model_from_string(content)
    model.graph.node.append(onnx.helper.make_node("Fetch", ["float_input"], ["fetched"], domain="com.example"))
    return model.SerializeToString()


def _with_data_elsewhere(content: bytes) -> bytes:
    model = onnx.load_model_from_string(content)
    weights = onnx.numpy_helper.from_array(np.ones(3, np.float32), "elsewhere")
    weights.ClearField("raw_data")
    weights.data_location = onnx.TensorProto.EXTERNAL
    weights.external_data.add(key="location", value="../../etc/passwd")
    model.graph.initializer.append(weights)
    return model.SerializeToString()


@pytest.mark.parametrize(
    ("spoilt", "why"),
    [
        (_with_a_strange_operator, "needs custom operators: com.example.Fetch"),
        (_with_data_elsewhere, "its tensor elsewhere lies in another file"),
        (lambda content: content[: len(content) // 2], "it is not an ONNX file"),
    ],
    ids=["operator", "data", "half"],
)
def test_a_signed_graph_that_would_not_be_taken_is_not_opened(
    compared: tuple[Workspace, Comparison], spoilt: Callable[[bytes], bytes], why: str
) -> None:
    work, comparison = compared
    digest = comparison.artefacts["theirs"]
    manifest, files = artefacts.load(work, digest, flow.sign_artefact(work, digest))
    refused(work, manifest, {**files, "model.onnx": spoilt(files["model.onnx"])}, why)


def _divided_by_nothing(*given: object) -> None:
    raise ZeroDivisionError("float division by zero")


def test_what_cannot_be_judged_is_refused_and_the_others_go_on(
    project: Path, trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    candidates = Candidates(only=["linear"], own={"forest": Own(estimator=f"{project / 'mine.py'}:forest")})
    definition, rows = with_candidates(trained.definition, candidates), trained.rows
    monkeypatch.setattr(bringing, "_own", _divided_by_nothing)
    work = open_workspace(Settings(home=tmp_path / "home"))
    comparison = flow.compare_on(work, definition, flights.training_set(rows), rows, lambda sentence: None)
    assert "float division by zero" in comparison.refused["forest"]
    assert set(comparison.artefacts) == {"linear"}
