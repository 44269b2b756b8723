"""A candidate of one's own is fitted elsewhere and comes back as a graph, or is refused and says why."""

from __future__ import annotations

import textwrap
from pathlib import Path

import numpy as np
import pytest

from pilotage.models.brought.own import fitting
from pilotage.models.brought.own.fitting import FittedOwn, Lesson, fit_own
from pilotage.models.brought.refused import ModelRefused
from pilotage.models.brought.taking import own_files, revive_own
from pilotage.usecase.records import Own
from tests.models.brought.calls import NUMBERS, calls

MINE = """
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

def forest(kind):
    forest = RandomForestRegressor if kind == "number" else RandomForestClassifier
    return make_pipeline(SimpleImputer(), forest(20, max_depth=6))

def without_imputer():
    return LogisticRegression()

def raises():
    return {}["nothing here"]

def hangs():
    while True:
        pass

def crashes():
    import os
    os.abort()

def exits():
    raise SystemExit(0)

def the_class():
    return RandomForestClassifier

def no_probabilities():
    from sklearn.svm import LinearSVC
    return make_pipeline(SimpleImputer(), LinearSVC())

def inconvertible():
    from sklearn.ensemble import HistGradientBoostingClassifier
    return HistGradientBoostingClassifier(max_iter=5)

def silently_wrong():
    from lightgbm import LGBMClassifier
    from sklearn.calibration import CalibratedClassifierCV
    return CalibratedClassifierCV(LGBMClassifier(n_estimators=20, verbose=-1))

def lightgbm():
    from lightgbm import LGBMClassifier
    return LGBMClassifier(n_estimators=20, verbose=-1)

def xgboost():
    from xgboost import XGBClassifier
    return XGBClassifier(n_estimators=20)

def singular():
    class Singular(LogisticRegression):
        def fit(self, matrix, labels):
            raise ValueError("singular on Tuesdays")
    return Singular()

def spies():
    import os
    raise ValueError("secrets: " + os.environ.get("A_SECRET", "none"))

def weighs():
    from sklearn.neighbors import KNeighborsClassifier
    return make_pipeline(SimpleImputer(), KNeighborsClassifier())
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    (folder / "mine.py").write_text(textwrap.dedent(MINE))
    return folder


@pytest.fixture(scope="module")
def forest(project: Path) -> FittedOwn:
    """A forest taught on the lesson as it is, with the seed that all tests have."""
    return _fitted(project, "forest")


def _lesson(kind: str = "flag", weights: np.ndarray | None = None) -> Lesson:
    table = calls()
    matrix = table[NUMBERS].to_numpy()
    match kind:
        case "flag":
            labels, classes = (table["y"] == "yes").to_numpy(), ()
        case "category":
            classes = tuple(sorted(table["marital"].unique()))
            labels = table["marital"].map(list(classes).index).to_numpy()
        case _:
            labels, classes = table["balance"].to_numpy() * 2, ()
    return Lesson(kind, matrix[:1_500], labels[:1_500], matrix[1_500:], classes, weights)


def _fitted(project: Path, function: str, lesson: Lesson | None = None, seed: int = 7) -> FittedOwn:
    return fit_own("mine", Own(estimator=f"mine.py:{function}"), lesson or _lesson(), project, seed)


def test_a_forest_comes_back_as_a_graph_that_answers_as_it_did_and_the_same_for_the_same_seed(
    project: Path, forest: FittedOwn
) -> None:
    lesson = _lesson()
    one, again, other = forest, *(_fitted(project, "forest", lesson, seed) for seed in (7, 8))
    assert one.content == again.content
    assert (one.own == again.own).all() and not (one.own == other.own).all()
    assert one.compared.flips == 0 and one.compared.rows == 500
    model = revive_own(own_files(one))
    np.testing.assert_allclose(model.matrix(lesson.asked), one.own, atol=1e-5)
    np.testing.assert_allclose([model.row(row) for row in lesson.asked[:20].tolist()], one.own[:20], atol=1e-5)
    assert one.parameters["randomforestclassifier__random_state"] == "7"
    assert len(one.parameters["source_sha256"]) == 64 and "sklearn" in one.libraries


@pytest.mark.parametrize("kind", ["category", "number"])
def test_the_function_hears_which_kind_of_outcome_is_wanted(project: Path, kind: str) -> None:
    lesson = _lesson(kind)
    fitted = _fitted(project, "forest", lesson)
    assert fitted.own.shape == (500, len(lesson.classes) or 1)
    np.testing.assert_allclose(revive_own(own_files(fitted)).matrix(lesson.asked), fitted.own, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("library", ["lightgbm", pytest.param("xgboost", marks=pytest.mark.long)])
def test_trees_of_other_libraries_take_missing_values_as_they_are(project: Path, library: str) -> None:
    lesson = _lesson()
    assert np.isnan(lesson.asked).any()
    assert _fitted(project, library, lesson).compared.difference_max < 1e-5


@pytest.mark.parametrize(
    ("function", "says", "repair"),
    [
        ("without_imputer", "while learning it raised ValueError: Input X contains NaN", "SimpleImputer"),
        pytest.param(
            "singular",
            r"while learning it raised ValueError: singular on Tuesdays",
            "Try fit() on a few rows.",
            marks=pytest.mark.long,
        ),
        ("raises", r"it raised KeyError: 'nothing here' \(mine.py, line 15\)", "Call the function by itself"),
        ("crashes", r"crashed \(SIGABRT\)", "Check"),
        pytest.param("exits", "ended with status 0", "Check", marks=pytest.mark.long),
        ("the_class", "gives the class RandomForestClassifier", "Return an unfitted estimator"),
        ("no_probabilities", "has no predict_proba", "classifier with probabilities"),
        ("inconvertible", "while being converted to ONNX it raised", "LightGBM in place of"),
        ("silently_wrong", r"it answers differently: by 0.\d+ at most, \d+ of 500 decisions", "leave calibration out"),
        ("no_such", "mine.py has no function no_such", "Name the function"),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_reason(project: Path, function: str, says: str, repair: str) -> None:
    with pytest.raises(ModelRefused, match=f"^Candidate mine: .*{says}") as refusal:
        _fitted(project, function)
    assert repair in refusal.value.repair
    assert ("imputer" in refusal.value.repair) == (function == "without_imputer")


def test_one_that_hangs_is_stopped_in_time(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitting, "seconds", lambda _: 4)
    with pytest.raises(ModelRefused, match="not done after 4 seconds and was stopped"):
        _fitted(project, "hangs")


def test_it_sees_no_secret_of_this_process(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_SECRET", "canary")
    with pytest.raises(ModelRefused, match="secrets: none"):
        _fitted(project, "spies")


def test_weights_reach_the_last_step_or_are_refused(project: Path, forest: FittedOwn) -> None:
    weights = np.where(_lesson().labels[:1_500], 20.0, 1.0)
    weighed = _fitted(project, "forest", _lesson(weights=weights))
    assert weighed.own.mean() > 2 * forest.own.mean()
    with pytest.raises(ModelRefused, match="KNeighborsClassifier cannot weigh rows"):
        _fitted(project, "weighs", _lesson(weights=weights))


@pytest.mark.parametrize(
    ("reference", "says"),
    [
        ("mine:forest", ""),
        ("nowhere.at_all:make", "there is no module nowhere"),
        ("gone.py:make", "there is no file"),
        ("offered_by_nobody", "no package offers offered_by_nobody in the entry point group pilotage.candidates"),
    ],
)
def test_the_function_is_found_in_a_module_a_file_or_an_entry_point(project: Path, reference: str, says: str) -> None:
    if not says:
        assert fit_own("mine", Own(estimator=reference), _lesson(), project, 7).compared.rows == 500
        return
    with pytest.raises(ModelRefused, match=says):
        fit_own("mine", Own(estimator=reference), _lesson(), project, 7)
