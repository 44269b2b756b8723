"""A model from elsewhere becomes files of safe formats, and margins like those of models that were learnt here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from pilotage.models.brought.examples import read_examples
from pilotage.models.brought.margins import LEAST, EncodedForeign, Margins
from pilotage.models.brought.own.fitting import Lesson, fit_own
from pilotage.models.brought.refused import ModelRefused
from pilotage.models.brought.taking import own_files, revive, revive_own, take
from pilotage.models.inputs import Encoder
from pilotage.usecase.records import Brought, Given, Own
from tests.models.brought.calls import NUMBERS, calls, examples, wanted


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return calls()


def _exported(folder: Path, table: pd.DataFrame, target: str) -> object:
    model = make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression(max_iter=500))
    model.fit(table[NUMBERS].to_numpy(np.float32), table[target])
    graph = to_onnx(model, initial_types=[("X", FloatTensorType([None, 4]))])
    (folder / "m.onnx").write_bytes(graph.SerializeToString())
    return model


def _arrow(table: pd.DataFrame) -> pa.Table:
    return pa.Table.from_pandas(table[NUMBERS], preserve_index=False)


def test_taken_kept_and_brought_back_a_flag_has_log_odds(tmp_path: Path, table: pd.DataFrame) -> None:
    model = _exported(tmp_path, table, "y")
    own = model.predict_proba(table[NUMBERS].to_numpy(np.float32))[:, 1]
    examples(tmp_path, table.head(50), own[:50], wanted(), "examples.csv")
    given = Brought(onnx="m.onnx", inputs={"X": NUMBERS}, examples="examples.csv")
    taken = take("calls", given, wanted(), tmp_path)
    assert set(taken.files) == {"model.onnx", "mapping.json"} and taken.parameters["examples"] == "50"
    margins = Margins(revive(taken.files, "calls"), "flag")
    found = margins.table(_arrow(table))
    np.testing.assert_allclose(found[:, 0], np.log(own / (1 - own)), atol=1e-3)
    row = {name: value for name, value in table[NUMBERS].iloc[1].items() if value == value}
    assert margins.row(row) == pytest.approx(found[1].tolist(), abs=1e-6)


def test_a_category_has_its_outcomes_classes_in_their_order_and_the_least_for_one_it_lacks(
    tmp_path: Path, table: pd.DataFrame
) -> None:
    model = _exported(tmp_path, table, "marital")
    own = model.predict_proba(table[NUMBERS].to_numpy(np.float32))
    wants = wanted("category", classes=("single", "widowed", "divorced", "married"))
    examples(tmp_path, table.head(50), model.classes_[own[:50].argmax(axis=1)], wants, "examples.json")
    given = Brought(onnx="m.onnx", inputs={"X": NUMBERS}, examples="examples.json")
    taken = take("calls", given, wants, tmp_path)
    found = np.exp(Margins(revive(taken.files, "calls"), "category", wants.classes).table(_arrow(table)))
    at = {name: place for place, name in enumerate(model.classes_)}
    np.testing.assert_allclose(found[:, [0, 2, 3]], own[:, [at["single"], at["divorced"], at["married"]]], atol=1e-5)
    np.testing.assert_allclose(found[:, 1], LEAST)


def test_an_own_candidate_answers_from_column_values_behind_its_encoder(tmp_path: Path, table: pd.DataFrame) -> None:
    source = "from sklearn.linear_model import LogisticRegression\nfrom sklearn.pipeline import make_pipeline\n"
    source += "from sklearn.impute import SimpleImputer\nfrom sklearn.preprocessing import StandardScaler\n"
    source += "def make():\n    return make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression())\n"
    (tmp_path / "mine.py").write_text(source)
    columns = tuple(Given(name, "number", True) for name in NUMBERS)
    encoder = Encoder.fitted(columns, _arrow(table))
    slots = encoder.table(_arrow(table)).slots
    lesson = Lesson("flag", slots, (table["y"] == "yes").to_numpy(), slots)
    fitted = fit_own("mine", Own(estimator="mine.py:make"), lesson, tmp_path, 1)
    margins = Margins(EncodedForeign(encoder, revive_own(own_files(fitted))), "flag")
    found = margins.table(_arrow(table))
    np.testing.assert_allclose(1 / (1 + np.exp(-found)), fitted.own, atol=1e-5)
    assert margins.row(dict(table[NUMBERS].iloc[5])) == pytest.approx(found[5].tolist(), abs=1e-5)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("e.csv", "age,balance\n1,2\n", "e.csv has no column expected"),
        ("e.csv", "age,expected\n", "e.csv has 0 rows"),
        ("e.csv", "age,expected\n1,high\n", "expected is not a number in every row"),
        ("e.csv", "age,expected\n1,\n", "expected is not a number in every row"),
        ("e.csv", "age,expected\nyoung,0.5\n", "age is not a number"),
        ("e.json", "[{", "e.json cannot be read"),
        ("e.parquet", "PAR1", "e.parquet cannot be read"),
        ("e.xlsx", "PK", "none of .csv, .json"),
    ],
)
def test_examples_that_say_nothing_are_refused(tmp_path: Path, name: str, content: str, says: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(ModelRefused, match=says):
        read_examples(tmp_path / name, wanted(), "Candidate calls")
