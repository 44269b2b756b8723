"""Texts that LightGBM's parser would crash on never reach it in this process."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest

from pilotage.models import artefacts, flow, trial
from pilotage.platform.workspace import Workspace
from tests.models.conftest import Trained
from tests.models.hostile import good, refused, spoilt

CASES = [
    "cut off",
    "other text",
    "sizes that lie",
    "a way back",
    "a way out",
    "a column beyond",
    "many leaves",
    "many columns",
    "no numbers",
    "bytes",
    "nothing at all",
]


@pytest.mark.parametrize("case", CASES)
def test_malformed_trees_are_refused_before_the_library_sees_them(
    copied: Workspace, trained: Trained, case: str
) -> None:
    manifest, files = good(copied, trained)
    content, why = spoilt(files["model.txt"])[case]
    refused(copied, manifest, {**files, "model.txt": content}, why)


@pytest.mark.parametrize("case", ["sizes that lie", "many leaves", "cut off"])
def test_what_gets_past_that_crashes_a_child_and_nobody_else(
    copied: Workspace, trained: Trained, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(artefacts._FORMATS, ".txt", lambda content: "")
    manifest, files = good(copied, trained)
    content, _ = spoilt(files["model.txt"])[case]
    refused(copied, manifest, {**files, "model.txt": content}, r"cannot be used: (reading them|\[LightGBM\])")


def test_trees_are_tried_once_in_their_life(
    spoilable: Workspace, trained: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = trained.comparison.artefacts["boosted"]
    signature = flow.sign_artefact(spoilable, digest)

    def forbidden(*given: Any, **named: Any) -> None:
        raise AssertionError("a child was started")

    monkeypatch.setattr(subprocess, "run", forbidden)
    flow.load_artefact(spoilable, digest, signature)
    for note in (spoilable.home / "tried").iterdir():
        note.write_text("00" * 64)  # forged: not this installation's word
    with pytest.raises(AssertionError, match="a child was started"):
        flow.load_artefact(spoilable, digest, signature)


def test_trees_are_tried_again_by_another_version_of_the_library(
    spoilable: Workspace, trained: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = trained.comparison.artefacts["boosted"]
    signature = flow.sign_artefact(spoilable, digest)
    started: list[Any] = []
    really = subprocess.run

    def counted(*given: Any, **named: Any) -> Any:
        started.append(given)
        return really(*given, **named)

    monkeypatch.setattr(subprocess, "run", counted)
    flow.load_artefact(spoilable, digest, signature)
    assert started == []
    monkeypatch.setattr(trial, "version", lambda library: f"another {library}")
    flow.load_artefact(spoilable, digest, signature)
    flow.load_artefact(spoilable, digest, signature)
    assert len(started) == 1
