"""An ONNX file is taken when it is safe, fits the columns, and answers as it did where it was trained."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pandas as pd
import pytest
from onnx import TensorProto, helper, numpy_helper
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from pilotage.models.brought.graph.described import Described, Tensor
from pilotage.models.brought.graph.scorer import GraphScorer
from pilotage.models.brought.graph.settling import settled
from pilotage.models.brought.graph.taking import TakenGraph, take_file
from pilotage.models.brought.inside.answering import Refusal
from pilotage.models.brought.refused import ModelRefused
from pilotage.models.brought.wanted import Wanted
from pilotage.usecase.records import Brought
from tests.models.brought.calls import KINDS, NUMBERS, calls, examples, wanted

MATRIX = Brought(onnx="m.onnx", inputs={"X": NUMBERS})


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return calls()


def _pipeline(table: pd.DataFrame, target: str = "y") -> object:
    steps = make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression(max_iter=500))
    return steps.fit(table[NUMBERS].to_numpy(np.float32), table[target])


def _export(folder: Path, model: object, **options: object) -> Path:
    graph = to_onnx(model, initial_types=[("X", FloatTensorType([None, len(NUMBERS)]))], **options)
    return _written(folder, graph.SerializeToString())


def _written(folder: Path, content: bytes) -> Path:
    path = folder / "m.onnx"
    path.write_bytes(content)
    return path


def _taken(folder: Path, table: pd.DataFrame, model: object, given: Brought = MATRIX, **options: object) -> TakenGraph:
    wants = wanted()
    expected = model.predict_proba(table[NUMBERS].to_numpy(np.float32))[:, 1]
    held = examples(folder, table.head(50), expected[:50], wants)
    return take_file(_export(folder, model, **options), given, held, wants, "Candidate calls")


def _rows(taken: TakenGraph, table: pd.DataFrame) -> np.ndarray:
    import pyarrow as pa

    scorer = GraphScorer(taken.content, taken.mapping)
    many = scorer.table(pa.Table.from_pandas(table[list(KINDS)], preserve_index=False))
    single = [scorer.row({k: v for k, v in row.items() if v == v}) for row in table[list(KINDS)].to_dict("records")]
    np.testing.assert_allclose(many, single, atol=1e-6)
    return many


def test_the_usual_export_of_scikit_learn_with_its_maps_answers_as_the_estimator(
    tmp_path: Path, table: pd.DataFrame
) -> None:
    model = _pipeline(table)
    taken = _taken(tmp_path, table, model)
    assert taken.mapping.answered.is_maps and taken.mapping.answered.picks == ("yes",)
    own = model.predict_proba(table[NUMBERS].to_numpy(np.float32))[:, [1]]
    np.testing.assert_allclose(_rows(taken, table), own, atol=1e-5)


def test_probabilities_in_one_tensor_are_taken_and_the_positive_class_may_be_the_first(
    tmp_path: Path, table: pd.DataFrame
) -> None:
    model = _pipeline(table)
    wants = wanted()
    given = Brought(onnx="m.onnx", inputs={"X": NUMBERS}, classes=["no", "yes"], positive="no")
    expected = model.predict_proba(table[NUMBERS].to_numpy(np.float32))[:50, 0]
    held = examples(tmp_path, table.head(50), expected, wants)
    taken = take_file(_export(tmp_path, model, options={"zipmap": False}), given, held, wants, "Candidate calls")
    np.testing.assert_allclose(_rows(taken, table.head(50))[:, 0], expected, atol=1e-5)


def test_a_pipeline_with_an_input_per_column_takes_texts_and_numbers_by_their_names(
    tmp_path: Path, table: pd.DataFrame
) -> None:
    texts = ["job", "housing"]
    columns = make_column_transformer(
        (SimpleImputer(), NUMBERS), (OneHotEncoder(handle_unknown="ignore"), texts), remainder="drop"
    )
    model = make_pipeline(columns, StandardScaler(with_mean=False), LogisticRegression(max_iter=500))
    model.fit(table[list(KINDS)], table["y"])
    types = [(name, FloatTensorType([None, 1])) for name in NUMBERS] + [
        (name, StringTensorType([None, 1])) for name in texts
    ]
    path = _written(tmp_path, to_onnx(model, initial_types=types).SerializeToString())
    wants = wanted(names=list(KINDS))
    own = model.predict_proba(table[list(KINDS)])[:, 1]
    held = examples(tmp_path, table.head(50), own[:50], wants, "examples.jsonl")
    taken = take_file(path, Brought(onnx="m.onnx"), held, wants, "Candidate calls")
    np.testing.assert_allclose(_rows(taken, table)[:, 0], own, atol=1e-5)


@pytest.mark.parametrize("library", ["lightgbm", "xgboost"])
def test_trees_exported_by_onnxmltools_answer_as_their_booster(
    tmp_path: Path, table: pd.DataFrame, library: str
) -> None:
    import onnxmltools
    from onnxmltools.convert.common.data_types import FloatTensorType as Floats

    x, y = table[NUMBERS].to_numpy(np.float32), (table["y"] == "yes").astype(int)
    types = [("X", Floats([None, len(NUMBERS)]))]
    if library == "lightgbm":
        import lightgbm

        model = lightgbm.LGBMClassifier(n_estimators=10, verbose=-1).fit(x, y)
        graph = onnxmltools.convert_lightgbm(model, initial_types=types)
    else:
        import xgboost

        model = xgboost.XGBClassifier(n_estimators=10).fit(x, y)
        graph = onnxmltools.convert_xgboost(model, initial_types=types)
    wants = wanted()
    own = model.predict_proba(x)[:, 1]
    held = examples(tmp_path, table.head(50), own[:50], wants)
    taken = take_file(_written(tmp_path, graph.SerializeToString()), MATRIX, held, wants, "Candidate calls")
    np.testing.assert_allclose(_rows(taken, table)[:, 0], own, atol=1e-5)


def test_several_classes_come_in_the_order_that_the_model_names(tmp_path: Path, table: pd.DataFrame) -> None:
    model = _pipeline(table, "marital")
    wants = wanted("category")
    own = model.predict_proba(table[NUMBERS].to_numpy(np.float32))
    expected = {f"expected_{name}": own[:50, place] for place, name in enumerate(model.classes_)}
    held = examples(tmp_path, table.head(50), expected, wants)
    taken = take_file(_export(tmp_path, model), MATRIX, held, wants, "Candidate calls")
    assert taken.mapping.answered.classes == tuple(model.classes_)
    np.testing.assert_allclose(_rows(taken, table), own, atol=1e-5)


def test_classes_listed_in_the_wrong_order_are_found_by_the_examples(tmp_path: Path, table: pd.DataFrame) -> None:
    model = _pipeline(table, "marital")
    wants = wanted("category")
    held = examples(tmp_path, table.head(50), model.predict(table[NUMBERS].to_numpy(np.float32))[:50], wants)
    path = _export(tmp_path, model, options={"zipmap": False})
    with pytest.raises(ModelRefused, match=r"classes: \[first, second\]"):
        take_file(path, MATRIX, held, wants, "Candidate calls")
    right = Brought(onnx="m.onnx", inputs={"X": NUMBERS}, classes=list(model.classes_))
    assert take_file(path, right, held, wants, "Candidate calls").compared.flips == 0
    wrong = Brought(onnx="m.onnx", inputs={"X": NUMBERS}, classes=list(model.classes_)[::-1])
    with pytest.raises(ModelRefused, match=r"row \d+ of examples.parquet expects single and gets"):
        take_file(path, wrong, held, wants, "Candidate calls")


def test_a_number_is_taken_relatively_to_its_size(tmp_path: Path, table: pd.DataFrame) -> None:
    model = make_pipeline(SimpleImputer(), LinearRegression())
    x = table[NUMBERS].to_numpy(np.float32)
    model.fit(x, table["balance"] * 3 + 7)
    wants = wanted("number")
    held = examples(tmp_path, table.head(50), model.predict(x)[:50], wants, "examples.csv")
    taken = take_file(_export(tmp_path, model), MATRIX, held, wants, "Candidate calls")
    assert 0 < taken.compared.difference_max < 1e-5


def test_categories_become_the_numbers_they_were_trained_with(tmp_path: Path, table: pd.DataFrame) -> None:
    codes = {name: float(code) for code, name in enumerate(sorted(table["job"].unique()))}
    x = np.column_stack([table["balance"], table["job"].map(codes)]).astype(np.float32)
    model = LogisticRegression(max_iter=2000).fit(x, table["y"])
    path = _written(tmp_path, to_onnx(model, x[:1]).SerializeToString())
    wants = wanted(names=["balance", "job"])
    held = examples(tmp_path, table.head(50), model.predict_proba(x)[:50, 1], wants, "examples.csv")
    bare = Brought(onnx="m.onnx", inputs={"X": ["balance", "job"]})
    with pytest.raises(ModelRefused, match=r"job is a category.*codes: \{job:"):
        take_file(path, bare, held, wants, "Candidate calls")
    coded = Brought(onnx="m.onnx", inputs={"X": ["balance", "job"]}, codes={"job": codes})
    assert take_file(path, coded, held, wants, "Candidate calls").compared.rows == 50


def test_columns_in_another_order_than_in_training_are_found_by_the_examples(
    tmp_path: Path, table: pd.DataFrame
) -> None:
    turned = Brought(onnx="m.onnx", inputs={"X": NUMBERS[::-1]})
    with pytest.raises(ModelRefused, match=r"row \d+ of examples.parquet expects .* and gets .*order of `inputs`"):
        _taken(tmp_path, table, _pipeline(table), turned)


_X = Tensor("X", "tensor(float)", (None, 4))
_LABEL, _BOTH = Tensor("label", "tensor(int64)", (None,)), Tensor("probabilities", "tensor(float)", (None, 2))


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (Brought(onnx="m"), r"what its input X: .* takes"),
        (Brought(onnx="m", inputs={"X": NUMBERS[:3]}), "takes 4 columns, and `inputs` gives it 3"),
        (Brought(onnx="m", inputs={"Z": NUMBERS}), r"it has no input Z; it has X: tensor\(float\) \[n, 4\]"),
        (Brought(onnx="m", inputs={"X": [*NUMBERS[:3], "wage"]}), "there is no column wage"),
        (Brought(onnx="m", inputs={"X": [*NUMBERS[:3], "day"]}), "day is a datetime"),
        (Brought(onnx="m", inputs={"X": [*NUMBERS[:3], "job"]}), "takes numbers; job is a category"),
        (Brought(onnx="m", inputs={"X": NUMBERS}, output="score"), "it has no output score; it has label"),
        (Brought(onnx="m", inputs={"X": NUMBERS}, output="label"), "holds no probabilities"),
        (Brought(onnx="m", inputs={"X": NUMBERS}, positive="maybe"), "belongs to the class maybe"),
        (Brought(onnx="m", inputs={"X": NUMBERS}, classes=["a", "b", "c"]), "has 2 values, and `classes` has 3"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_there_is(given: Brought, says: str) -> None:
    wants = Wanted("flag", {**dict.fromkeys(NUMBERS, "number"), "job": "category", "day": "datetime"})
    with pytest.raises(Refusal, match=says):
        settled(given, Described((_X,), (_LABEL, _BOTH)), wants)


def test_nobody_guesses_the_order_of_a_matrix_but_a_line_to_copy_is_proposed() -> None:
    with pytest.raises(Refusal) as refusal:
        settled(Brought(onnx="m"), Described((_X,), (_LABEL, _BOTH)), wanted())
    assert refusal.value.repair.endswith("inputs: {X: [age, balance, campaign, previous]}")


def _small(nodes: list[onnx.NodeProto], initializers: list[TensorProto] | None = None, batch: object = None) -> bytes:
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("X", TensorProto.FLOAT, [batch, 4])],
        [helper.make_tensor_value_info("Y", TensorProto.FLOAT, [batch, 1])],
        initializers or [],
    )
    domains = {node.domain for node in nodes} - {""}
    opsets = [helper.make_opsetid("", 18), *(helper.make_opsetid(domain, 1) for domain in domains)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9).SerializeToString()


def _external() -> bytes:
    weights = numpy_helper.from_array(np.ones((4, 1), np.float32), "W")
    weights.ClearField("raw_data")
    weights.data_location = TensorProto.EXTERNAL
    weights.external_data.add(key="location", value="../../etc/passwd")
    return _small([helper.make_node("MatMul", ["X", "W"], ["Y"])], [weights])


def _refusals() -> list[tuple[str, Callable[[], bytes], str]]:
    custom = helper.make_node("Fetch", ["X"], ["Y"], domain="com.example")
    inner = helper.make_graph([helper.make_node("Fetch", [], ["Y"], domain="com.example")], "i", [], [])
    branch = helper.make_node("If", ["c"], ["Y"], then_branch=inner, else_branch=inner)
    return [
        ("external data", _external, "its tensor W lies in another file"),
        ("custom operator", lambda: _small([custom]), "it needs custom operators: com.example.Fetch"),
        ("custom operator in a branch", lambda: _small([branch]), "it needs custom operators: com.example.Fetch"),
        ("a text", lambda: b"this is no model at all", "it is not an ONNX file"),
        ("a zip", lambda: b"PK\x03\x04" + bytes(60), "it is not an ONNX file"),
        ("nothing", lambda: b"", "is empty"),
        (
            "an unknown operator",
            lambda: _small([helper.make_node("Nonsense", ["X"], ["Y"])]),
            "onnxruntime cannot load",
        ),
    ]


@pytest.mark.parametrize(("what", "make", "says"), _refusals(), ids=[one[0] for one in _refusals()])
def test_what_is_no_safe_graph_is_refused(
    tmp_path: Path, table: pd.DataFrame, what: str, make: Callable[[], bytes], says: str
) -> None:
    wants = wanted()
    held = examples(tmp_path, table.head(5), [0.1] * 5, wants)
    with pytest.raises(ModelRefused, match=says):
        take_file(_written(tmp_path, make()), MATRIX, held, wants, "Candidate calls")


def test_a_link_and_a_file_that_is_too_large_are_refused(tmp_path: Path, table: pd.DataFrame) -> None:
    from pilotage.models.brought.files import MODEL_BYTES_MAX

    wants = wanted()
    held = examples(tmp_path, table.head(5), [0.1] * 5, wants)
    link, large = tmp_path / "link.onnx", tmp_path / "large.onnx"
    link.symlink_to("/etc/hostname")
    with large.open("wb") as file:
        file.truncate(MODEL_BYTES_MAX + 1)
    for path, says in ((link, "is a symbolic link"), (large, "is larger than 512 MiB"), (tmp_path, "not a regular")):
        with pytest.raises(ModelRefused, match=says):
            take_file(path, MATRIX, held, wants, "Candidate calls")


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_half_a_file_is_refused_and_this_process_lives(tmp_path: Path, table: pd.DataFrame, share: float) -> None:
    whole = _export(tmp_path, _pipeline(table)).read_bytes()
    wants = wanted()
    held = examples(tmp_path, table.head(5), [0.1] * 5, wants)
    with pytest.raises(ModelRefused):
        take_file(_written(tmp_path, whole[: int(len(whole) * share)]), MATRIX, held, wants, "Candidate calls")


def test_a_graph_that_takes_one_row_at_a_time_is_asked_row_by_row(tmp_path: Path, table: pd.DataFrame) -> None:
    axes = numpy_helper.from_array(np.array([1], np.int64), "axes")
    node = helper.make_node("ReduceMax", ["X", "axes"], ["Y"], keepdims=1)
    wants: Wanted = wanted("number")
    rows = table.head(20).fillna(0.0)
    held = examples(tmp_path, rows, rows[NUMBERS].max(axis=1), wants)
    taken = take_file(_written(tmp_path, _small([node], [axes], 1)), MATRIX, held, wants, "Candidate calls")
    assert taken.mapping.one_by_one
    assert taken.compared.rows == 20
    with pytest.raises(ModelRefused, match="exactly 7 rows"):
        take_file(_written(tmp_path, _small([node], [axes], 7)), MATRIX, held, wants, "Candidate calls")


def test_what_is_no_probability_is_refused(tmp_path: Path, table: pd.DataFrame) -> None:
    axes = numpy_helper.from_array(np.array([1], np.int64), "axes")
    node = helper.make_node("ReduceMax", ["X", "axes"], ["Y"], keepdims=1)
    wants = wanted()
    held = examples(tmp_path, table.head(5).fillna(0), [0.1] * 5, wants)
    with pytest.raises(ModelRefused, match="where a probability is wanted"):
        take_file(_written(tmp_path, _small([node], [axes])), MATRIX, held, wants, "Candidate calls")


def test_the_runtime_leaves_nothing_behind_and_reports_to_nobody(tmp_path: Path, table: pd.DataFrame) -> None:
    path = _export(tmp_path, _pipeline(table))
    program = (
        "from pathlib import Path; from pilotage.models.brought.graph.runtime import session; "
        f"session(Path({str(path)!r}).read_bytes()); import os; print(os.environ['ORT_DISABLE_TELEMETRY'])"
    )
    home = tmp_path / "home"
    home.mkdir()
    environment = {"HOME": str(home), "PATH": os.environ["PATH"]}
    ran = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "1"
    assert list(home.rglob("*")) == []
