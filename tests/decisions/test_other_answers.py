"""What a recorded decision's model would have answered otherwise, told after the fact."""

from __future__ import annotations

from types import SimpleNamespace

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from tests.models.conftest import Trained, rows, trained
from tests.review.arranging import a_decision

from pilotage.decisions import flow
from pilotage.decisions.records import Decision
from pilotage.models import flow as modelling
from pilotage.releases import flow as releasing

__all__ = ["rows", "trained"]


@pytest.fixture
def decision(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> Decision:
    """A flight whose probability lies near the threshold, as it was recorded under the additive version."""
    digest = trained.comparison.artefacts["additive"]
    signature = modelling.sign_artefact(trained.work, digest)
    version = SimpleNamespace(artefact=digest, signature=signature)
    monkeypatch.setattr(releasing, "version", lambda work, identifier: version)
    scorer = modelling.load_artefact(trained.work, digest, signature)
    near = int(np.argmin(np.abs(scorer.score_table(trained.rows) - 0.25)))
    inputs = trained.rows.select(list(scorer.plan.names)).take(pa.array([near])).to_pylist()[0]
    return a_decision(trained.work.clock.now(), inputs=inputs, version="ver_1", model_answer=True)


def test_columns_that_would_have_changed_the_answer_are_told(trained: Trained, decision: Decision) -> None:
    found = flow.other_answers(trained.work, trained.definition, decision)
    assert len(found) == 3
    assert all(one.sentence.startswith("If ") for one in found)


def test_personal_columns_are_not_told(trained: Trained, decision: Decision) -> None:
    shown = [one.column for one in flow.other_answers(trained.work, trained.definition, decision)]
    hidden = flow.other_answers(trained.work, trained.definition, decision, shown[:1])
    assert shown[0] not in [one.column for one in hidden]
    assert hidden


def test_nothing_is_told_where_the_model_said_nothing_or_the_file_has_changed(
    trained: Trained, decision: Decision
) -> None:
    silent = msgspec.structs.replace(decision, model_answer=None)
    assert flow.other_answers(trained.work, trained.definition, silent) == ()
    plan = msgspec.structs.replace(trained.definition.plan, fingerprint="another")
    changed = msgspec.structs.replace(trained.definition, plan=plan)
    assert flow.other_answers(trained.work, changed, decision) == ()
