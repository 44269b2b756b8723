"""Golden vectors: rows with what the model said of them, asked again by whoever loads the artefact."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from pilotage.models import artefacts, flow
from pilotage.models.golden import GOLDEN, EnvironmentDiffers, Golden, chosen, made
from pilotage.models.records import Manifest
from pilotage.models.scoring import Scorer
from pilotage.platform.workspace import Workspace
from tests.models.conftest import Trained

FAMILIES = ("linear", "additive", "boosted")


def kept(work: Workspace, digest: str) -> tuple[Manifest, dict[str, bytes], Golden]:
    manifest, files = artefacts.load(work, digest, flow.sign_artefact(work, digest))
    return manifest, files, msgspec.json.decode(files[GOLDEN], type=Golden)


def with_golden(work: Workspace, digest: str, **changes: Any) -> str:
    """The same artefact with other golden vectors, signed here: an environment that answers otherwise."""
    manifest, files, golden = kept(work, digest)
    files = {**files, GOLDEN: msgspec.json.encode(msgspec.structs.replace(golden, **changes))}
    return artefacts.keep_manifest(work, msgspec.structs.replace(manifest, files=artefacts.keep_files(work, files)))


def load(work: Workspace, digest: str) -> Scorer:
    return flow.load_artefact(work, digest, flow.sign_artefact(work, digest))


@pytest.mark.parametrize("family", FAMILIES)
def test_every_artefact_carries_some_dozens_of_rows_and_answers_them_as_when_it_was_compared(
    copied: Workspace, trained: Trained, family: str
) -> None:
    digest = trained.comparison.artefacts[family]
    manifest, _, golden = kept(copied, digest)
    assert 48 <= len(golden.rows) <= 64
    assert len(golden.rows) == len(golden.outputs) == len(golden.answers)
    assert {"python", "numpy", "processor", *manifest.libraries} <= golden.environment.keys()
    nearest = min(abs(each[0] - (manifest.threshold or 0.0)) for each in golden.outputs)
    assert nearest < 0.01, "rows at the threshold are among them"
    scorer = load(copied, digest)
    row = dict(zip(golden.columns, golden.rows[0], strict=True))
    assert scorer.row(row)[0] == pytest.approx(golden.outputs[0][0], abs=scorer.tolerance)


@pytest.mark.parametrize("family", FAMILIES)
def test_an_output_beyond_the_tolerance_refuses_the_version_and_names_the_libraries_of_then_and_now(
    copied: Workspace, trained: Trained, family: str
) -> None:
    digest = trained.comparison.artefacts[family]
    _, _, golden = kept(copied, digest)
    outputs = ((golden.outputs[0][0] + 1e-7, *golden.outputs[0][1:]), *golden.outputs[1:])
    elsewhere = with_golden(
        copied, digest, outputs=outputs, environment={**golden.environment, "numpy": "1.0.0", "python": "3.1.4"}
    )
    with pytest.raises(EnvironmentDiffers) as refused:
        load(copied, elsewhere)
    assert "Environment differs from training" in refused.value.message
    assert "numpy 1.0.0 then, " in refused.value.message
    assert "python 3.1.4 then, " in refused.value.message
    assert "differ by up to 1.0e-07" in refused.value.message


def test_other_library_versions_alone_refuse_nothing(copied: Workspace, trained: Trained) -> None:
    digest = trained.comparison.artefacts["additive"]
    assert load(copied, with_golden(copied, digest, environment={"numpy": "1.0.0"})).manifest.candidate == "additive"


def test_an_answer_that_flips_refuses_the_version_though_its_output_is_within_the_tolerance(
    copied: Workspace, trained: Trained
) -> None:
    digest = trained.comparison.artefacts["additive"]
    _, _, golden = kept(copied, digest)
    flipped = with_golden(copied, digest, answers=(not golden.answers[0], *golden.answers[1:]))
    with pytest.raises(EnvironmentDiffers, match="and 1 are answered otherwise"):
        load(copied, flipped)


def test_a_row_that_cannot_be_answered_here_refuses_the_version(copied: Workspace, trained: Trained) -> None:
    digest = trained.comparison.artefacts["additive"]
    _, _, golden = kept(copied, digest)
    place = golden.columns.index("distance_miles")
    row = [*golden.rows[0]]
    row[place] = "many"
    with pytest.raises(EnvironmentDiffers, match="some cannot be answered here"):
        load(copied, with_golden(copied, digest, rows=(tuple(row), *golden.rows[1:])))


def test_values_of_personal_columns_are_not_kept(copied: Workspace, trained: Trained) -> None:
    scorer = load(copied, trained.comparison.artefacts["additive"])
    rows = trained.rows.slice(0, 40)
    golden = msgspec.json.decode(made(scorer, rows, {"carrier"}), type=Golden)
    place = golden.columns.index("carrier")
    assert {row[place] for row in golden.rows} == {None}
    assert rows["carrier"].null_count == 0
    others = golden.columns.index("distance_miles")
    assert any(row[others] is not None for row in golden.rows)


def test_the_few_rows_of_a_small_held_out_part_are_all_chosen() -> None:
    import numpy as np

    assert chosen(np.zeros((5, 1)), np.arange(5)).tolist() == [0, 1, 2, 3, 4]


def test_nothing_of_the_environment_is_asked_of_an_artefact_from_before_golden_vectors(
    copied: Workspace, trained: Trained
) -> None:
    manifest, files, _ = kept(copied, trained.comparison.artefacts["additive"])
    del files[GOLDEN]
    entries = artefacts.keep_files(copied, files)
    assert load(copied, artefacts.keep_manifest(copied, msgspec.structs.replace(manifest, files=entries)))
