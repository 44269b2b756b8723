"""A model directory of MLflow is converted in a confined process, or refused; in this one nothing unpickles."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from pilotage.models.brought.mlflow.taking import TakenDirectory, take_directory
from pilotage.models.brought.refused import ModelRefused
from pilotage.usecase.records import Brought
from tests.models.brought.calls import KINDS, NUMBERS, calls, examples, wanted

_unpickled: list[str] = []
_watching = [False]


def _watch(event: str, arguments: tuple[object, ...]) -> None:
    if _watching[0] and event == "pickle.find_class":
        _unpickled.append(str(arguments))


sys.addaudithook(_watch)


@contextmanager
def _nothing_unpickles() -> Iterator[None]:
    _unpickled.clear()
    _watching[0] = True
    try:
        yield
    finally:
        _watching[0] = False
    assert _unpickled == []


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return calls()


def _saved(
    folder: Path, flavour: str, about: dict[str, object], columns: dict[str, str], files: dict[str, bytes]
) -> Path:
    """A directory as MLflow 3.17 lays it out."""
    folder.mkdir()
    inputs = ", ".join(f'{{"type": "{kind}", "name": "{name}", "required": true}}' for name, kind in columns.items())
    lines = [
        "flavors:",
        "  python_function:",
        f"    loader_module: mlflow.{flavour}",
        f"    model_path: {next(iter(files))}",
    ]
    lines.append(f"  {flavour}:")
    lines += [f"    {key}: {'null' if value is None else value}" for key, value in about.items()]
    lines += ["mlflow_version: 3.17.2", "signature:", f"  inputs: '[{inputs}]'", "  params: null", ""]
    (folder / "MLmodel").write_text("\n".join(lines))
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def _sklearn(folder: Path, model: object, columns: list[str], form: str = "pkl", **about: object) -> Path:
    if form == "skops":
        import skops.io

        content = skops.io.dumps(model)
    else:
        content = pickle.dumps(model)
    kinds = {name: "double" if KINDS[name] == "number" else "string" for name in columns}
    known = {"code": None, "pickled_model": f"model.{form}", "sklearn_version": sklearn.__version__, **about}
    return _saved(folder, "sklearn", known, kinds, {f"model.{form}": content})


def _linear(table: pd.DataFrame) -> object:
    return make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression()).fit(table[NUMBERS], table["y"])


def _take(
    folder: Path, table: pd.DataFrame, own: np.ndarray, names: list[str] | None = None, given: Brought | None = None
) -> TakenDirectory:
    wants = wanted(names=names)
    held = examples(folder.parent, table.head(50), own[:50], wants)
    with _nothing_unpickles():
        return take_directory(folder, given or Brought(mlflow="m"), held, wants, "Candidate calls")


@pytest.mark.parametrize("form", ["pkl", "skops"])
def test_a_pipeline_of_scikit_learn_is_converted_and_says_what_confined_its_process(
    tmp_path: Path, table: pd.DataFrame, form: str
) -> None:
    model = _linear(table)
    taken = _take(_sklearn(tmp_path / "m", model, NUMBERS, form), table, model.predict_proba(table[NUMBERS])[:, 1])
    assert taken.graph.compared.difference_max < 1e-5
    assert "an audit hook" in taken.confined_by and len(taken.confined_by) >= 3


def test_a_pipeline_that_chooses_columns_by_name_gets_texts_and_numbers(tmp_path: Path, table: pd.DataFrame) -> None:
    columns = make_column_transformer((SimpleImputer(), NUMBERS), (OneHotEncoder(), ["job", "housing"]))
    model = make_pipeline(columns, StandardScaler(with_mean=False), LogisticRegression(max_iter=300))
    model.fit(table[list(KINDS)], table["y"])
    own = model.predict_proba(table[list(KINDS)])[:, 1]
    taken = _take(_sklearn(tmp_path / "m", model, list(KINDS)), table, own, list(KINDS))
    assert {fed.input for fed in taken.graph.mapping.fed} == set(KINDS)


@pytest.mark.parametrize(
    ("library", "wrapped"),
    [
        ("lightgbm", False),
        ("lightgbm", True),
        ("xgboost", False),
        pytest.param("xgboost", True, marks=pytest.mark.long),
    ],
)
def test_boosters_are_read_in_their_own_formats(
    tmp_path: Path, table: pd.DataFrame, library: str, wrapped: bool
) -> None:
    x, y = table[NUMBERS], (table["y"] == "yes").astype(int)
    kinds = dict.fromkeys(NUMBERS, "double")
    if library == "lightgbm":
        import lightgbm

        model = lightgbm.LGBMClassifier(n_estimators=10, verbose=-1).fit(x, y)
        model.booster_.save_model(tmp_path / "model.lgb")
        name, about = "model.lgb", {"data": "model.lgb", "lgb_version": lightgbm.__version__}
    else:
        import xgboost

        model = xgboost.XGBClassifier(n_estimators=10).fit(x, y)
        (model if wrapped else model.get_booster()).save_model(tmp_path / "model.ubj")
        kind = "xgboost.sklearn.XGBClassifier" if wrapped else "xgboost.core.Booster"
        name, about = "model.ubj", {"data": "model.ubj", "model_class": kind, "xgb_version": "1.0"}
    content = (tmp_path / name).read_bytes()
    if library == "lightgbm" and wrapped:
        name, content = "model.pkl", pickle.dumps(model)
        about["data"] = name
    folder = _saved(tmp_path / "m", library, about, kinds, {name: content})
    assert _take(folder, table, model.predict_proba(x)[:, 1]).flavour == library


def test_columns_of_other_names_are_renamed_by_the_file(tmp_path: Path, table: pd.DataFrame) -> None:
    theirs = table[NUMBERS].rename(columns={"age": "AGE_YEARS"})
    model = make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression()).fit(theirs, table["y"])
    folder = _sklearn(tmp_path / "m", model, NUMBERS)
    said = (folder / "MLmodel").read_text().replace('"age"', '"AGE_YEARS"')
    (folder / "MLmodel").write_text(said)
    own = model.predict_proba(theirs)[:, 1]
    with pytest.raises(ModelRefused, match="there is no column AGE_YEARS"):
        _take(folder, table, own)
    assert _take(folder, table, own, given=Brought(mlflow="m", inputs={"AGE_YEARS": "age"})).graph.compared.flips == 0


class _Evil:
    def __init__(self, call: Callable[..., object], *arguments: object) -> None:
        self.call, self.arguments = call, arguments

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return self.call, self.arguments


def test_an_object_that_would_run_code_is_refused_before_it_does(tmp_path: Path, table: pd.DataFrame) -> None:
    mark = tmp_path / "mark"
    for number, evil in enumerate(
        (_Evil(os.system, f"touch {mark}"), _Evil(eval, f"open({str(mark)!r}, 'w')"), _Evil(subprocess.getoutput, "id"))
    ):
        folder = _sklearn(tmp_path / f"m{number}", evil, NUMBERS)
        with pytest.raises(ModelRefused, match=r"it holds .* which no estimator"):
            _take(folder, table, np.full(50, 0.1))
    assert not mark.exists()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("  sklearn:", "  spacy:"), "flavours are python_function, spacy.*is code that would have to be run"),
        (("code: null", "code: code"), "it brings code of its own"),
        (("model.pkl", "../model.pkl"), "names ../model.pkl as the model's, which is not read"),
        (("model.pkl", "model.sh"), "names model.sh as the model's, which is not read"),
        (("model.pkl", "gone.pkl"), "there is no file .*gone.pkl"),
        ((f"sklearn_version: {sklearn.__version__}", "sklearn_version: 0.24.2"), "saved with scikit-learn 0.24.2, and"),
        (("flavors:", "flavors: &a"), "MLmodel cannot be read: &a is an anchor"),
    ],
)
def test_what_the_directory_says_is_enough_to_refuse_it(
    tmp_path: Path, table: pd.DataFrame, change: tuple[str, str], says: str
) -> None:
    folder = _sklearn(tmp_path / "m", _linear(table), NUMBERS)
    (folder / "MLmodel").write_text((folder / "MLmodel").read_text().replace(*change))
    with pytest.raises(ModelRefused, match=says):
        _take(folder, table, np.full(50, 0.1))


def test_links_are_not_followed(tmp_path: Path, table: pd.DataFrame) -> None:
    folder = _sklearn(tmp_path / "m", _linear(table), NUMBERS)
    (tmp_path / "link").symlink_to(folder)
    elsewhere = tmp_path / "elsewhere.pkl"
    (folder / "model.pkl").rename(elsewhere)
    (folder / "model.pkl").symlink_to(elsewhere)
    for place in (tmp_path / "link", folder):
        with pytest.raises(ModelRefused, match="is a symbolic link"):
            _take(place, table, np.full(50, 0.1))


ESCAPES = """
import ctypes, os, socket, subprocess, sys
from pathlib import Path
from pilotage.models.brought.inside.confining import confine
folder, outside = Path(sys.argv[1]), Path(sys.argv[2])
held = confine(folder)
libc = ctypes.CDLL(None)
tries = {
    "native socket": lambda: libc.socket(2, 1, 0) >= 0,
    "native unix socket": lambda: libc.socket(1, 1, 0) >= 0,
    "native write": lambda: libc.open(str(outside / "native").encode(), os.O_CREAT | os.O_WRONLY, 0o644) >= 0,
    "native read": lambda: libc.open(str(outside / "secret").encode(), 0) >= 0,
    "native removal": lambda: libc.unlink(str(outside / "secret").encode()) == 0,
    "native exec": lambda: libc.execl(b"/bin/true", b"true", None) == 0,
    "signal": lambda: libc.kill(os.getppid(), 0) == 0,
    "parent's environment": lambda: libc.open(f"/proc/{os.getppid()}/environ".encode(), 0) >= 0,
    "socket": lambda: bool(socket.socket()),
    "write": lambda: (outside / "python").write_text("x") > 0,
    "program": lambda: subprocess.run(["true"]).returncode == 0,
}
for name, attempt in tries.items():
    try:
        if attempt():
            print("escaped:", name)
    except OSError:
        pass
(folder / "own").write_text("x")
print("|".join(held))
"""


def test_the_confined_process_reaches_no_network_no_other_file_and_no_other_program(tmp_path: Path) -> None:
    folder, outside = tmp_path / "folder", tmp_path / "outside"
    folder.mkdir()
    outside.mkdir()
    (outside / "secret").write_text("canary")
    command = [sys.executable, "-I", "-c", ESCAPES, str(folder), str(outside)]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    *escaped, held = ran.stdout.strip().splitlines()
    if "Landlock" not in held or "seccomp" not in held:
        pytest.skip(f"this machine only allows: {held}")
    assert escaped == []
    assert [path.name for path in outside.iterdir()] == ["secret"]
    assert (folder / "own").exists()
