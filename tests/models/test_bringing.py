"""Estimators of one's own and models from elsewhere are compared, kept and released like any other candidate."""

from __future__ import annotations

import textwrap
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pilotage.models import flow
from pilotage.models.records import Comparison
from pilotage.platform.workspace import Workspace
from pilotage.usecase.records import Brought, Candidates, Definition, Own
from tests.models import flights
from tests.models.conftest import Trained

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
    onnx = pytest.importorskip("skl2onnx")
    from sklearn.linear_model import LogisticRegression

    folder = tmp_path_factory.mktemp("project")
    (folder / "mine.py").write_text(textwrap.dedent(MINE))
    known = rows.filter(rows["label"].is_valid()).select([*NUMBERS, "label"]).drop_null()
    matrix = np.column_stack([known[name].to_numpy() for name in NUMBERS]).astype(np.float32)
    model = LogisticRegression(max_iter=500).fit(matrix, known["label"].to_numpy(zero_copy_only=False).astype(int))
    kinds = [("float_input", onnx.common.data_types.FloatTensorType([None, len(NUMBERS)]))]
    graph = onnx.convert_sklearn(model, initial_types=kinds, options={"zipmap": False})
    (folder / "theirs.onnx").write_bytes(graph.SerializeToString())
    examples = known.slice(0, 50).drop(["label"])
    expected = model.predict_proba(matrix[:50])[:, 1]
    pq.write_table(examples.append_column("expected", pa.array(expected)), folder / "examples.parquet")
    return folder


@pytest.fixture(scope="module")
def compared(project: Path, trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, Comparison]:
    from pilotage.platform.settings import Settings
    from pilotage.platform.workspace import open_workspace

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
    refused = compared[1].refused
    assert set(refused) == {"broken", "gone"}
    assert "KeyError" in refused["broken"]
    assert "nowhere.onnx" in refused["gone"]


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
