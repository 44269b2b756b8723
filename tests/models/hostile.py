"""What somebody would make who wants an artefact to do harm, and what should become of it."""

from __future__ import annotations

import io
import pickle
import re
import zipfile
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import joblib
import msgspec
import numpy as np
import pytest

from pilotage.models import artefacts, flow
from pilotage.models.records import Manifest
from pilotage.platform.errors import CorruptArtefact
from pilotage.platform.workspace import Workspace
from tests.models.conftest import Trained


class Bomb:
    """Whoever unpickles it, leaves a file behind."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return Path.touch, (self.place,)


def good(work: Workspace, trained: Trained, candidate: str = "boosted") -> tuple[Manifest, dict[str, bytes]]:
    digest = trained.comparison.artefacts[candidate]
    return artefacts.load(work, digest, flow.sign_artefact(work, digest))


def signed(work: Workspace, manifest: Manifest, files: dict[str, bytes]) -> tuple[str, str]:
    """An artefact of these files, signed as by somebody who has this installation's key: the last line of defence."""
    kept = msgspec.structs.replace(manifest, files=artefacts.keep_files(work, files))
    return resigned(work, kept)


def resigned(work: Workspace, manifest: Manifest) -> tuple[str, str]:
    digest = artefacts.keep_manifest(work, manifest)
    return digest, work.signer.sign(work.lake.read(digest, artefacts.MANIFEST_SUFFIX))


def refused(work: Workspace, manifest: Manifest, files: dict[str, bytes], why: str) -> None:
    digest, signature = signed(work, manifest, files)
    with pytest.raises(CorruptArtefact, match=why):
        flow.load_artefact(work, digest, signature)
    if not any(word in why for word in ("carries", "made of")):  # what is in the files is found out in loading
        with pytest.raises(CorruptArtefact, match=why):
            flow.sign_artefact(work, digest)


def pickled(place: Path) -> bytes:
    return pickle.dumps(Bomb(place))


def with_joblib(place: Path) -> bytes:
    content = io.BytesIO()
    joblib.dump(Bomb(place), content)
    return content.getvalue()


def object_array(place: Path) -> bytes:
    content = io.BytesIO()
    np.save(content, np.array([Bomb(place)], dtype=object), allow_pickle=True)
    return content.getvalue()


def object_arrays(place: Path) -> bytes:
    content = io.BytesIO()
    np.savez(content, weights=np.array([Bomb(place)], dtype=object))
    return content.getvalue()


BOMBS = [
    (pickled, "model.pkl"),
    (with_joblib, "model.joblib"),
    (object_array, "weights.npy"),
    (object_arrays, "weights.npz"),
]


def zipped(name: str = "evil.py") -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(name, "open('exploded', 'w')")
    return content.getvalue()


def spoilt(text: bytes) -> dict[str, tuple[bytes, str]]:
    """What a malformed text of trees may be, and what is said of it."""

    def line(name: bytes, put: bytes) -> bytes:
        begin = text.index(b"\n" + name + b"=") + 1
        return text[:begin] + name + b"=" + put + text[text.index(b"\n", begin) :]

    def sized(changed: bytes) -> bytes:
        """With tree sizes that fit again, so that only the tree itself is wrong."""
        head, _, rest = changed.partition(b"\n\n")
        trees = rest.partition(b"end of trees\n")[0]
        starts = [*(found.start() for found in re.finditer(rb"^Tree=", trees, re.MULTILINE)), len(trees)]
        sizes = b" ".join(str(end - begin).encode() for begin, end in pairwise(starts))
        begin = head.index(b"tree_sizes=")
        return head[:begin] + b"tree_sizes=" + sizes + b"\n\n" + rest

    splits = text[text.index(b"split_feature=") :].split(b"\n")[0].split(b"=")[1].split()
    left = text[text.index(b"left_child=") :].split(b"\n")[0].split(b"=")[1].split()
    return {
        "cut off": (text[: len(text) // 2], "does not begin or end"),
        "other text": (b"tree\nhello\n\npandas_categorical:null\n", "its trees have no end"),
        "sizes that lie": (text.replace(b"tree_sizes=", b"tree_sizes=99999", 1), "not as long as it says"),
        "a way back": (
            sized(line(b"left_child", b" ".join([b"0", *left[1:]]))),
            "has a way that leads back",
        ),
        "a way out": (
            sized(line(b"left_child", b" ".join([b"7000000", *left[1:]]))),
            "has a way that leads nowhere",
        ),
        "a column beyond": (
            sized(line(b"split_feature", b" ".join([b"900000", *splits[1:]]))),
            "splits by a column that is not there",
        ),
        "many leaves": (sized(line(b"num_leaves", b"2000000000")), "not as many leaves and splits as it says"),
        "many columns": (line(b"max_feature_idx", b"2000000000"), "it claims 2,000,000,001 columns"),
        "no numbers": (sized(line(b"leaf_value", b"")), "not as many leaves and splits as it says"),
        "bytes": (text.replace(b"threshold", b"thresh\xffld", 1), "bytes that are no plain text"),
        "nothing at all": (b"", "does not begin or end"),
    }
