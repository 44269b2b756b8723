"""Artefacts that somebody made to do harm: all are refused with a reason, and nothing outside the lake is touched."""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pilotage.models import artefacts, flow
from pilotage.models.records import FileEntry, Manifest
from pilotage.platform.errors import CorruptArtefact, NotFound
from pilotage.platform.workspace import Workspace
from tests.models.conftest import Trained
from tests.models.hostile import BOMBS, good, refused, resigned, signed, zipped


@pytest.mark.parametrize(("make", "name"), BOMBS, ids=[name for _, name in BOMBS])
def test_a_file_that_could_hold_code_is_refused_by_its_name(
    copied: Workspace, trained: Trained, exploded: Path, make: Callable[[Path], bytes], name: str
) -> None:
    manifest, files = good(copied, trained)
    refused(copied, manifest, {**files, name: make(exploded)}, f"{name} is of no format that is loaded")
    assert not exploded.exists()


@pytest.mark.parametrize("name", ["model.txt", "encoder.json", "plan.json", "weights.f64", "graph.onnx"])
@pytest.mark.parametrize("make", [make for make, _ in BOMBS], ids=[name for _, name in BOMBS])
def test_and_by_its_content_under_any_name(
    copied: Workspace, trained: Trained, exploded: Path, make: Callable[[Path], bytes], name: str
) -> None:
    manifest, files = good(copied, trained)
    content = make(exploded)
    content += b"\x00" * (-len(content) % 8)  # as many bytes as 64-bit numbers would have
    refused(copied, manifest, {**files, name: content}, f"{name} (is not what its name says|carries)|carries what")
    assert not exploded.exists()


@pytest.mark.parametrize("name", ["plan.json", "encoder.json", "calibration.json", "reference.json", "model.txt"])
@pytest.mark.parametrize("behind", [zipped(), b"\n{}", b"\nimport os"], ids=["zip", "json", "code"])
def test_a_polyglot_is_refused(copied: Workspace, trained: Trained, name: str, behind: bytes) -> None:
    manifest, files = good(copied, trained)
    refused(copied, manifest, {**files, name: files[name] + behind}, f"{name} is not what its name says")
    refused(copied, manifest, {**files, name: behind + files[name]}, f"{name} is not what its name says")


def test_json_in_two_encodings_at_once_is_refused(copied: Workspace, trained: Trained) -> None:
    manifest, files = good(copied, trained)
    refused(copied, manifest, {**files, "plan.json": files["plan.json"].decode().encode("utf-16")}, "no JSON")


def test_an_archive_is_refused_and_nothing_of_it_is_written(spoilable: Workspace, trained: Trained) -> None:
    manifest, files = good(spoilable, trained)
    bundle = io.BytesIO()
    with tarfile.open(fileobj=bundle, mode="w") as archive:
        entry = tarfile.TarInfo("../../escaped.txt")
        entry.size = 4
        archive.addfile(entry, io.BytesIO(b"gone"))
    before = {path for path in spoilable.home.parent.rglob("*") if not path.is_relative_to(spoilable.lake.root)}
    for name, content in (("bundle.tar", bundle.getvalue()), ("bundle.zip", zipped("../../escaped.txt"))):
        refused(spoilable, manifest, {**files, name: content}, f"{name} is of no format that is loaded")
        refused(spoilable, manifest, {**files, "plan.json": content}, "plan.json is not what its name says")
    after = {path for path in spoilable.home.parent.rglob("*") if not path.is_relative_to(spoilable.lake.root)}
    assert {path.name for path in after - before} <= {"tried", *(entry.digest for entry in manifest.files.values())}


@pytest.mark.parametrize(
    "name", ["../plan.json", "/etc/passwd", "a/b.json", "plan", ".json", "Plan.json", "x\n.json", ""]
)
def test_a_manifest_that_names_a_path_is_refused(copied: Workspace, trained: Trained, name: str) -> None:
    manifest, _ = good(copied, trained)
    entry = next(iter(manifest.files.values()))
    digest, signature = resigned(copied, msgspec.structs.replace(manifest, files={**manifest.files, name: entry}))
    with pytest.raises(CorruptArtefact, match="no file of an artefact"):
        flow.load_artefact(copied, digest, signature)


@pytest.mark.parametrize("outside", ["../../../outside", "/outside", "ab/../../../outside", "a" * 63, "A" * 64])
def test_a_manifest_that_leads_out_of_the_lake_is_refused(spoilable: Workspace, trained: Trained, outside: str) -> None:
    manifest, files = good(spoilable, trained)
    (spoilable.home / "outside.json").write_bytes(files["plan.json"])
    entry = FileEntry(outside, len(files["plan.json"]))
    digest, signature = resigned(
        spoilable, msgspec.structs.replace(manifest, files={**manifest.files, "plan.json": entry})
    )
    with pytest.raises(CorruptArtefact, match="Nothing outside of the lake is read"):
        flow.load_artefact(spoilable, digest, signature)


@pytest.mark.parametrize("digest", ["../../etc/passwd", "", "g" * 64, "0" * 65])
def test_an_artefact_whose_name_is_no_digest_is_refused(copied: Workspace, digest: str) -> None:
    with pytest.raises(CorruptArtefact, match="is no digest of an artefact"):
        flow.load_artefact(copied, digest, "")


def test_an_extra_file_is_refused_even_if_it_is_harmless(copied: Workspace, trained: Trained) -> None:
    manifest, files = good(copied, trained)
    refused(copied, manifest, {**files, "notes.json": b"{}"}, "carries what boosted does not read: notes.json")


def test_more_files_than_any_model_has_are_refused(copied: Workspace, trained: Trained) -> None:
    manifest, files = good(copied, trained)
    many = {f"n{number}.json": b"{}" for number in range(artefacts.FILES_MAX)}
    refused(copied, manifest, {**files, **many}, "is none of ours")


@pytest.mark.parametrize("name", ["plan.json", "encoder.json", "calibration.json", "reference.json", "model.txt"])
def test_a_missing_file_is_refused(spoilable: Workspace, trained: Trained, name: str) -> None:
    manifest, files = good(spoilable, trained)
    refused(spoilable, manifest, {key: content for key, content in files.items() if key != name}, "made of: KeyError")
    digest, signature = signed(spoilable, manifest, files)
    spoilable.lake.path(manifest.files[name].digest, Path(name).suffix).unlink()
    with pytest.raises(CorruptArtefact, match="A file of the artefact is gone"):
        flow.load_artefact(spoilable, digest, signature)


@pytest.mark.parametrize("content", [b"{}", b"[]", b"null", b'{"columns": 3}', b"[" * 100_000])
def test_a_file_of_the_right_format_and_another_shape_is_refused(
    copied: Workspace, trained: Trained, content: bytes
) -> None:
    manifest, files = good(copied, trained)
    for name in ("plan.json", "encoder.json", "calibration.json"):
        refused(copied, manifest, {**files, name: content}, f"made of|{name} is not what its name says")


@pytest.mark.parametrize("kind", ["link", "folder", "pipe", "device"])
def test_what_is_no_file_of_the_lakes_own_is_refused(spoilable: Workspace, trained: Trained, kind: str) -> None:
    manifest, files = good(spoilable, trained)
    digest, signature = signed(spoilable, manifest, files)
    path = spoilable.lake.path(manifest.files["plan.json"].digest, ".json")
    path.unlink()
    if kind == "link":
        outside = spoilable.home / "outside.json"
        outside.write_bytes(files["plan.json"])  # the very bytes, elsewhere: who owns that place could change them
        path.symlink_to(outside)
    elif kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)  # reading it would wait for ever
    else:
        path.symlink_to("/dev/zero")
    with pytest.raises(CorruptArtefact, match="is no file of the lake's own"):
        flow.load_artefact(spoilable, digest, signature)


def test_a_folder_of_the_lake_that_leads_elsewhere_is_refused(spoilable: Workspace, trained: Trained) -> None:
    manifest, files = good(spoilable, trained)
    digest, signature = signed(spoilable, manifest, files)
    folder = spoilable.lake.path(manifest.files["plan.json"].digest, ".json").parent
    folder.rename(spoilable.home / "moved")
    folder.symlink_to(spoilable.home / "moved")
    with pytest.raises(CorruptArtefact, match="leads elsewhere"):
        flow.load_artefact(spoilable, digest, signature)


def test_a_file_that_grew_is_refused_before_it_is_read(spoilable: Workspace, trained: Trained) -> None:
    manifest, files = good(spoilable, trained)
    digest, signature = signed(spoilable, manifest, files)
    path = spoilable.lake.path(manifest.files["plan.json"].digest, ".json")
    os.truncate(path, 1 << 40)  # a terabyte of nothing
    with pytest.raises(CorruptArtefact, match="is larger than what was written"):
        flow.load_artefact(spoilable, digest, signature)
    os.truncate(spoilable.lake.path(digest, artefacts.MANIFEST_SUFFIX), 1 << 40)
    with pytest.raises(CorruptArtefact, match="is larger than what was written"):
        flow.load_artefact(spoilable, digest, signature)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(
        ["manifest", "signature", "plan.json", "encoder.json", "calibration.json", "reference.json", "model.txt"]
    ),
    st.floats(0, 1, exclude_max=True),
    st.integers(1, 255),
)
def test_whichever_byte_is_flipped_it_is_refused(
    copied: Workspace, trained: Trained, what: str, where: float, mask: int
) -> None:
    digest = trained.comparison.artefacts["boosted"]
    signature = copied.signer.sign(copied.lake.read(digest, artefacts.MANIFEST_SUFFIX))
    if what == "signature":
        raw = bytearray(bytes.fromhex(signature))
        raw[int(where * len(raw))] ^= mask
        with pytest.raises(CorruptArtefact, match="signature of this installation"):
            flow.load_artefact(copied, digest, raw.hex())
        return
    manifest = msgspec.json.decode(copied.lake.read(digest, artefacts.MANIFEST_SUFFIX), type=Manifest)
    path = copied.lake.path(digest, artefacts.MANIFEST_SUFFIX)
    if what != "manifest":
        path = copied.lake.path(manifest.files[what].digest, Path(what).suffix)
    whole = path.read_bytes()
    content = bytearray(whole)
    content[int(where * len(content))] ^= mask
    try:
        path.write_bytes(bytes(content))
        with pytest.raises((CorruptArtefact, NotFound)) as told:
            flow.load_artefact(copied, digest, signature)
        assert "was changed after it was written" in told.value.message
    finally:
        path.write_bytes(whole)
    assert flow.load_artefact(copied, digest, signature).manifest == manifest
