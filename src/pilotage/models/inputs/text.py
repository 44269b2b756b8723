"""Free texts as weighted words and pairs of words (TF-IDF), or as a few dozen topics made of them.

Source: Spärck Jones 1972 for the weights, with the logarithm of counts; topics are the leading singular vectors of the
weighted words (latent semantic analysis, Deerwester et al. 1990). Vocabulary and topics are learnt with scikit-learn
and kept as data; what serves is numpy alone, and one text is weighed by the same operations alone and among many.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pyarrow as pa

Words = Literal["words", "topics"]
WORDS_MAX = 50_000
TOPIC_WORDS_MAX = 20_000
TOPICS_MAX = 50
FEW_TEXTS = 100
CHARACTERS_MAX = 100_000
"""What a text has beyond this is not read: nobody should be able to keep an answer waiting with one."""
_WORD = re.compile(r"\b\w\w+\b")
_NOTHING = (np.empty(0, dtype=np.intp), np.empty(0))
Weighed = tuple[NDArray[np.intp], NDArray[np.float64]]
"""Positions in the vocabulary, ascending, and the weight of each; the weights' squares sum to 1."""


class TextInput(msgspec.Struct, frozen=True, tag="text", dict=True):
    """A text. ``topics`` is empty where words stand for themselves, else float32, words × topics."""

    name: str
    vocabulary: tuple[str, ...]
    rarity: tuple[float, ...]
    topics: bytes = b""

    @classmethod
    def fitted(cls, name: str, column: pa.ChunkedArray, texts: Words = "words", seed: int = 0) -> TextInput:
        """Learns which words there are, how rare each is and, where asked for, the topics."""
        known = [text for text in _texts(column) if text]
        most = WORDS_MAX if texts == "words" else TOPIC_WORDS_MAX
        found = _vocabulary(known, most)
        if found is None:
            return cls(name, (), ())
        vocabulary, rarity, weighed = found
        topics = b"" if texts == "words" or len(vocabulary) < 3 else _topics(weighed, seed)
        return cls(name, vocabulary, rarity, topics)

    @property
    def slots(self) -> tuple[tuple[str, int], ...]:
        return tuple((f"{self.name}.topic_{number}", 0) for number in range(1, self.topics_count + 1))

    @property
    def is_words(self) -> bool:
        """Whether its words stand for themselves."""
        return not self.topics

    @cached_property
    def topics_count(self) -> int:
        return len(self.topics) // 4 // len(self.vocabulary) if self.vocabulary else 0

    @cached_property
    def _place(self) -> dict[str, int]:
        return {word: number for number, word in enumerate(self.vocabulary)}

    @cached_property
    def _rarity(self) -> NDArray[np.float64]:
        return np.array(self.rarity)

    @cached_property
    def _components(self) -> NDArray[np.float64]:
        kept = np.frombuffer(self.topics, dtype="<f4").reshape(len(self.vocabulary), self.topics_count)
        return kept.astype(np.float64)

    def weigh(self, value: Any) -> Weighed:
        """The known words of one text with their weights; of none where nothing is known of it."""
        if value is None:
            return _NOTHING
        counts = Counter(place for term in terms(str(value)) if (place := self._place.get(term)) is not None)
        if not counts:
            return _NOTHING
        places = np.fromiter(counts, dtype=np.intp, count=len(counts))
        places.sort()
        weights = (1 + np.log([counts[place] for place in places.tolist()])) * self._rarity[places]
        return places, weights / np.sqrt(weights @ weights)

    def reader(self) -> Callable[[Any, list[float]], None]:
        """Appends the topics of one text to an encoded row; NaN where there is none."""

        def read(value: Any, into: list[float]) -> None:
            into += self._row(value).tolist()

        return read

    def columns(self, column: pa.ChunkedArray) -> list[NDArray[np.float64]]:
        """The topics of many texts."""
        if not self.topics_count:
            return []
        return list(np.array([self._row(text) for text in _texts(column)]).reshape(-1, self.topics_count).T)

    def _row(self, value: Any) -> NDArray[np.float64]:
        if value is None:
            return np.full(self.topics_count, np.nan)
        places, weights = self.weigh(value)
        found: NDArray[np.float64] = weights @ self._components[places] if len(places) else np.zeros(self.topics_count)
        return found

    def table(self, column: pa.ChunkedArray) -> list[Weighed]:
        """The weighed words of many texts."""
        return [self.weigh(text) for text in _texts(column)]


def terms(text: str) -> Iterable[str]:
    """Words of two letters or more, in lower case, and pairs of neighbours."""
    words = _WORD.findall(text[:CHARACTERS_MAX].lower())
    yield from words
    yield from (f"{one} {two}" for one, two in pairwise(words))


def _vocabulary(texts: list[str], most: int) -> tuple[tuple[str, ...], tuple[float, ...], Any] | None:
    """Words and pairs that occur in several texts, their rarity, and the weighed texts; None where there are none."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    rows_min = 2 if len(texts) >= FEW_TEXTS else 1
    weigher = TfidfVectorizer(
        analyzer=lambda text: list(terms(text)), min_df=rows_min, max_features=most, sublinear_tf=True
    )
    try:
        weighed = weigher.fit_transform(texts)
    except ValueError:  # no word at all, or none that occurs often enough
        return None
    return tuple(weigher.get_feature_names_out().tolist()), tuple(map(float, weigher.idf_)), weighed


def _topics(weighed: Any, seed: int) -> bytes:
    from sklearn.decomposition import TruncatedSVD
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    count = min(TOPICS_MAX, min(weighed.shape) - 1)
    with threadpool_limits(1):  # as with the trees: on busy cores two threads wait for each other
        reducer = TruncatedSVD(count, random_state=seed).fit(weighed)
    return np.ascontiguousarray(reducer.components_.T, dtype="<f4").tobytes()


def _texts(column: pa.ChunkedArray) -> list[str | None]:
    import pyarrow as pa

    found: list[str | None] = column.cast(pa.string()).to_pylist()
    return found
