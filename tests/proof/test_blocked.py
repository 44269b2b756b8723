"""What the audit forbids is neither recommended nor released, however well a model does on it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pilotage.audit import flow as auditing
from pilotage.data import flow as data
from pilotage.govern.records import SYSTEM
from pilotage.models import flow as modelling
from pilotage.platform.errors import Conflict, EvidenceMissing
from pilotage.releases import flow as releasing
from tests.proof import cases


def test_a_column_known_after_the_decision_keeps_the_rule_in_place(tmp_path: Path) -> None:
    work, definition = cases.bank(tmp_path, with_clock=True, more="candidates: {only: [linear]}\n", every=5)
    data.build(work, definition)
    said: list[str] = []
    free = modelling.train_and_compare(work, definition, said.append)
    assert said[1] == "Not audited as it is now: pilotage audit bank says whether the data can be trusted."
    assert free.blockers == ()

    auditing.run(work, definition)
    held = modelling.train_and_compare(work, definition, said.append)
    assert held.recommended == "rule"
    assert any("duration" in blocker for blocker in held.blockers)
    assert held.reason.startswith("Keep the rule for now: the audit found")
    with pytest.raises(Conflict, match="duration"):
        releasing.make_version(work, definition, held, held.recommended, SYSTEM)
    work.close()


def test_a_table_without_a_clock_is_not_asked_for_more_history(tmp_path: Path) -> None:
    work, definition = cases.mails(tmp_path)
    data.build(work, definition)
    with pytest.raises(EvidenceMissing, match="has no clock") as refused:
        modelling.train_and_compare(work, definition, lambda sentence: None)
    assert "event_time" in refused.value.repair
    work.close()
