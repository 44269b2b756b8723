"""Nothing is loaded that was not signed here, and nothing whose bytes changed."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import pytest

from pilotage.models import artefacts, flow
from pilotage.platform.errors import CorruptArtefact, NotFound
from pilotage.platform.lake import Lake
from pilotage.platform.settings import Settings
from pilotage.platform.workspace import Workspace, open_workspace
from tests.models.conftest import Trained


@pytest.fixture
def work(trained: Trained, tmp_path: Path) -> Workspace:
    """The same installation with a copy of its lake, to spoil."""
    shutil.copytree(trained.work.lake.root, tmp_path / "lake")
    return dataclasses.replace(trained.work, lake=Lake(tmp_path / "lake"))


@pytest.fixture
def digest(trained: Trained) -> str:
    return trained.comparison.artefacts["additive"]


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_a_signed_artefact_is_loaded_with_its_manifest(work: Workspace, digest: str, trained: Trained) -> None:
    scorer = flow.load_artefact(work, digest, flow.sign_artefact(work, digest))
    assert scorer.manifest.candidate == "additive"
    assert scorer.manifest.threshold == pytest.approx(0.25)
    assert (scorer.manifest.uncertain_low, scorer.manifest.uncertain_high) == pytest.approx((0.22, 0.28))
    assert scorer.plan == trained.definition.plan
    assert set(scorer.manifest.files) == {
        "plan.json",
        "encoder.json",
        "additive.json",
        "calibration.json",
        "reference.json",
        "golden.json",
    }
    assert "interpret-core" in scorer.manifest.libraries


@pytest.mark.parametrize("name", ["plan.json", "encoder.json", "additive.json", "calibration.json", "reference.json"])
def test_a_flipped_byte_in_any_file_is_refused(work: Workspace, digest: str, name: str) -> None:
    signature = flow.sign_artefact(work, digest)
    manifest, _ = artefacts.load(work, digest, signature)
    flip(work.lake.path(manifest.files[name].digest, ".json"))
    with pytest.raises(CorruptArtefact, match="was changed after it was written"):
        flow.load_artefact(work, digest, signature)
    with pytest.raises(CorruptArtefact):
        flow.sign_artefact(work, digest)


def test_a_flipped_byte_in_the_manifest_is_refused(work: Workspace, digest: str) -> None:
    signature = flow.sign_artefact(work, digest)
    flip(work.lake.path(digest, artefacts.MANIFEST_SUFFIX))
    with pytest.raises(CorruptArtefact):
        flow.load_artefact(work, digest, signature)


@pytest.mark.parametrize("signature", ["", "00" * 64, "no signature"])
def test_what_is_not_signed_is_refused(work: Workspace, digest: str, signature: str) -> None:
    with pytest.raises(CorruptArtefact, match="does not carry a signature of this installation"):
        flow.load_artefact(work, digest, signature)


def test_the_signature_of_another_installation_is_refused(work: Workspace, digest: str, tmp_path: Path) -> None:
    other = open_workspace(Settings(home=tmp_path / "other"))
    theirs = other.signer.sign(work.lake.read(digest, artefacts.MANIFEST_SUFFIX))
    other.close()
    with pytest.raises(CorruptArtefact, match="signature"):
        flow.load_artefact(work, digest, theirs)


def test_a_file_that_is_gone_is_named_as_such(work: Workspace, digest: str) -> None:
    signature = flow.sign_artefact(work, digest)
    manifest, _ = artefacts.load(work, digest, signature)
    work.lake.path(manifest.files["encoder.json"].digest, ".json").unlink()
    with pytest.raises(CorruptArtefact, match="is gone"):
        flow.load_artefact(work, digest, signature)


def test_signed_bytes_that_are_no_manifest_are_refused(work: Workspace) -> None:
    digest = work.lake.put(b"{}", artefacts.MANIFEST_SUFFIX)
    with pytest.raises(CorruptArtefact, match="is not the manifest"):
        flow.load_artefact(work, digest, work.signer.sign(b"{}"))


def test_an_artefact_that_never_was_is_not_found(work: Workspace) -> None:
    with pytest.raises(NotFound):
        flow.load_artefact(work, "0" * 64, "")
