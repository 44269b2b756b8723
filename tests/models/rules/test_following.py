"""What comes after a comparison works as things stand."""

from __future__ import annotations

import msgspec

from pilotage.models.rules.following import following
from tests.models.conftest import Trained


def test_the_recommended_model_is_tested_and_where_the_rule_stays_nothing_is_released(trained: Trained) -> None:
    kept = msgspec.structs.replace(trained.comparison, recommended="rule")
    pilot = msgspec.structs.replace(trained.comparison, recommended="boosted")
    assert following(kept, stale=False) == "pilotage audit late_arrival"
    assert following(pilot, stale=False) == "pilotage test late_arrival --candidate boosted"
    assert following(pilot, stale=True) == "pilotage build late_arrival"
