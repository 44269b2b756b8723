"""What trees say of a row is what LightGBM's own TreeSHAP says of it, sooner."""

from __future__ import annotations

import threading
from itertools import pairwise

import lightgbm
import numpy as np
import pyarrow as pa
import pytest

from pilotage.models.families import FAMILIES
from pilotage.models.families.boosted import form, longways, signals
from pilotage.models.families.boosted.form import TreesModel
from pilotage.models.families.boosted.paths import PATTERNS_MAX, groups_of
from pilotage.models.families.boosted.signals import Signals
from pilotage.models.families.boosted.trees import UnsupportedTree, read_trees
from pilotage.models.families.candidate import Lesson, Matrix
from pilotage.models.inputs import Encoder, Row, Rows
from tests.models.flights import FAR_MILES, columns

TAUGHT = 8_000
Encoded = tuple[Encoder, Rows, np.ndarray]
BOOSTED = next(family for family in FAMILIES if family.name == "boosted")
FEW: dict[str, object] = {"verbosity": -1, "num_threads": 1, "seed": 7, "num_leaves": 15, "min_data_in_leaf": 20}


def by_lightgbm(booster: lightgbm.Booster, rows: Matrix, outputs: int) -> Matrix:
    """Rows × outputs × slots."""
    found = np.asarray(booster.predict(rows, pred_contrib=True, num_threads=1))
    return found.reshape(len(rows), outputs, -1)[:, :, :-1]


def ours(booster: lightgbm.Booster, rows: Matrix, outputs: int) -> Matrix:
    found = Signals(booster.model_to_string(), rows.shape[1], outputs)
    return np.array([found(row) for row in rows.tolist()])


def learnt(encoded: Encoded, labels: np.ndarray, trees: int = 40, **parameters: object) -> lightgbm.Booster:
    """Trees on the first flights."""
    encoder, rows, _ = encoded
    categories = [at for at, slot in enumerate(encoder.slots) if slot.codes]
    data = lightgbm.Dataset(rows.slots[:TAUGHT], labels[:TAUGHT], categorical_feature=categories)
    return lightgbm.train(FEW | parameters, data, num_boost_round=trees)


def strange(rows: Matrix) -> Matrix:
    """The same rows with what is missing, zero, endless, or a code that nobody knows, in every slot somewhere."""
    spoilt = rows.copy()
    random = np.random.default_rng(3)
    for value in (np.nan, 0.0, -1.0, 1e-36, -1e-36, np.inf, -np.inf, 9_999.0, 2.7):
        spoilt[random.random(spoilt.shape) < 0.05] = value
    return spoilt


@pytest.fixture(scope="module")
def unseen(encoded: Encoded) -> Matrix:
    rows = encoded[1].slots[TAUGHT : TAUGHT + 60]
    return np.concatenate([rows, strange(rows), np.full((1, rows.shape[1]), np.nan)])


@pytest.fixture(scope="module")
def flags(encoded: Encoded) -> lightgbm.Booster:
    return learnt(encoded, encoded[2].astype(float), objective="binary", num_leaves=31)


@pytest.fixture(scope="module")
def model(encoded: Encoded) -> TreesModel:
    """A model of its own, before anybody has asked it for signals."""
    return read_model(encoded)


def read_model(encoded: Encoded) -> TreesModel:
    encoder, rows, labels = encoded
    taught = np.arange(TAUGHT)
    lesson = Lesson(
        rows.take(taught), labels[taught].astype(float), encoder.slots, "flag", 1, 7, settings={"trees": 40}
    )
    found = BOOSTED.read(BOOSTED.train(lesson).files, 1)
    assert isinstance(found, TreesModel)
    return found


def test_yes_or_no_is_explained_as_lightgbm_does(flags: lightgbm.Booster, unseen: Matrix) -> None:
    assert any(split.codes for tree in read_trees(flags.model_to_string()) for split in tree.splits)
    assert np.abs(ours(flags, unseen, 1) - by_lightgbm(flags, unseen, 1)).max() <= 1e-9


def test_each_of_several_answers_is_explained_as_lightgbm_does(encoded: Encoded, unseen: Matrix) -> None:
    encoder, rows, late = encoded
    miles = rows.slots[:, [slot.column for slot in encoder.slots].index("distance_miles")]
    outcomes = late.astype(float) + (miles > FAR_MILES)
    booster = learnt(encoded, outcomes, 15, objective="multiclass", num_class=3, feature_fraction=0.4)
    found, expected = ours(booster, unseen, 3), by_lightgbm(booster, unseen, 3)
    assert np.abs(found - expected).max() <= 1e-9
    assert (np.abs(found).max(axis=(0, 2)) > 0).all()


def test_minutes_of_delay_are_explained_as_lightgbm_does(delays: pa.Table) -> None:
    known = delays.filter(delays["label"].is_valid())
    encoder = Encoder.fitted(columns(), known)
    rows, labels = encoder.table(known), known["label"].to_numpy()
    booster = learnt((encoder, rows, labels), labels, objective="regression")
    some = rows.slots[TAUGHT : TAUGHT + 60]
    found = ours(booster, some, 1)
    assert np.abs(found).max() > 1  # minutes, not log-odds
    assert np.abs(found - by_lightgbm(booster, some, 1)).max() <= 1e-6


@pytest.mark.parametrize("missing", [{"zero_as_missing": True}, {"use_missing": False}], ids=["zero", "never"])
def test_what_counts_as_missing_is_what_the_trees_were_learnt_with(
    encoded: Encoded, unseen: Matrix, missing: dict[str, object]
) -> None:
    booster = learnt(encoded, encoded[2].astype(float), objective="binary", **missing)
    assert np.abs(ours(booster, unseen, 1) - by_lightgbm(booster, unseen, 1)).max() <= 1e-9


@pytest.mark.parametrize("bytes_max", [0, 50_000])
def test_without_room_for_tables_the_same_is_computed(
    flags: lightgbm.Booster, unseen: Matrix, bytes_max: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = ours(flags, unseen, 1)
    monkeypatch.setattr(signals, "TABLES_MAX", bytes_max)
    monkeypatch.setattr(longways, "_BATCH_FLOATS", 5_000)
    assert np.abs(ours(flags, unseen, 1) - kept).max() <= 1e-9


def test_tables_keep_to_their_room(flags: lightgbm.Booster, monkeypatch: pytest.MonkeyPatch) -> None:
    cells = signals.cells_of(read_trees(flags.model_to_string()))
    groups = [group for tree in read_trees(flags.model_to_string()) for group in groups_of(tree, 0, cells, 4_096)]
    for room in (0, 50_000, 400_000):
        monkeypatch.setattr(signals, "TABLES_MAX", room)
        short, long = signals._parted(groups)
        assert 8 * sum(group.floats for group in short) <= room
        assert len(short) + len(long) == len(groups)


def test_leaves_told_together_need_fewer_look_ups(flags: lightgbm.Booster) -> None:
    trees = read_trees(flags.model_to_string())
    cells = signals.cells_of(trees)
    counts = [sum(len(groups_of(tree, 0, cells, most)) for tree in trees) for most in (0, 256, 4_096)]
    assert sum(len(tree.values) for tree in trees) > counts[0]
    assert all(fewer < more for more, fewer in pairwise(counts))


def test_trees_too_large_to_be_laid_out_are_left_to_lightgbm(
    flags: lightgbm.Booster, unseen: Matrix, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signals, "WAYS_MAX", 10_000)
    with pytest.raises(UnsupportedTree):
        ours(flags, unseen, 1)


def test_a_way_of_more_slots_than_a_table_can_number_is_computed(encoded: Encoded) -> None:
    rows = np.eye(24)[np.arange(2_400) % 24] * (1 + np.arange(2_400)[:, None] // 1_200)
    labels = (np.arange(2_400) % 24).astype(float)
    data = lightgbm.Dataset(rows, labels, params={"enable_bundle": False})
    booster = lightgbm.train(FEW | {"objective": "regression", "num_leaves": 24}, data, num_boost_round=5)
    trees = read_trees(booster.model_to_string())
    cells = signals.cells_of(trees)
    groups = [group for tree in trees for group in groups_of(tree, 0, cells, 4_096)]
    assert max(group.patterns for group in groups) > PATTERNS_MAX
    short, long = signals._parted(groups)
    assert len(short) + len(long) == len(groups)
    assert max(group.patterns for group in short) <= PATTERNS_MAX
    assert np.abs(ours(booster, rows[:30], 1) - by_lightgbm(booster, rows[:30], 1)).max() <= 1e-9


def test_trees_that_never_split_add_nothing(encoded: Encoded, unseen: Matrix) -> None:
    booster = learnt(encoded, encoded[2].astype(float), 3, objective="binary", min_data_in_leaf=TAUGHT)
    assert not ours(booster, unseen, 1).any()


def test_signals_sum_to_the_margin_beyond_the_average(encoded: Encoded, model: TreesModel) -> None:
    assert model.make_signals()
    for at in range(TAUGHT, TAUGHT + 50):
        row = encoded[1].row(at)
        assert model.contributions(row).sum() == pytest.approx(model.margin(row) - model.base[0], abs=1e-9)


def test_a_model_that_is_asked_often_makes_them_by_itself(encoded: Encoded, monkeypatch: pytest.MonkeyPatch) -> None:
    made = threading.Event()

    def telling(*given: object) -> Signals:
        found = Signals(*given)  # type: ignore[arg-type]
        made.set()
        return found

    monkeypatch.setattr(form, "Signals", telling)
    asked = read_model(encoded)
    row = encoded[1].row(TAUGHT)
    first = [asked.contributions(row) for _ in range(form.SIGNALS_PAY_AFTER - 1)]
    assert not made.is_set()
    first.append(asked.contributions(row))
    assert made.wait(60)
    assert asked.make_signals()
    assert np.abs(asked.contributions(row) - first).max() <= 1e-9


def test_threads_get_what_one_gets(encoded: Encoded, model: TreesModel) -> None:
    assert model.make_signals()
    rows: list[Row] = [encoded[1].row(at) for at in range(TAUGHT, TAUGHT + 200)]
    expected = np.array([model.contributions(row) for row in rows])
    answers: list[Matrix] = []
    threads = [
        threading.Thread(target=lambda: answers.append(np.array([model.contributions(row) for row in rows])))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [np.array_equal(answer, expected) for answer in answers] == [True] * 4


def test_of_means_of_trees_lightgbm_tells(encoded: Encoded, unseen: Matrix) -> None:
    booster = learnt(encoded, encoded[2].astype(float), 5, boosting="rf", bagging_freq=1, bagging_fraction=0.5)
    other = TreesModel(booster.model_to_string().encode(), 1)
    assert not other.make_signals()
    found = np.array([other.contributions(Row(row)) for row in unseen[:20].tolist()])
    assert np.array_equal(found, by_lightgbm(booster, unseen[:20], 1))


def test_trees_with_linear_leaves_are_not_read(encoded: Encoded) -> None:
    booster = learnt(encoded, encoded[2].astype(float), 5, objective="regression", linear_tree=True)
    with pytest.raises(UnsupportedTree):
        read_trees(booster.model_to_string())
