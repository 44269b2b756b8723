"""Counter-examples: one column at a time, and really another answer."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from pilotage.models import flow
from pilotage.models.scoring import Scorer
from tests.models.conftest import Trained


@pytest.fixture(scope="module", params=["linear", "additive", "boosted"])
def scorer(request: pytest.FixtureRequest, trained: Trained) -> Scorer:
    digest = trained.comparison.artefacts[request.param]
    return flow.load_artefact(trained.work, digest, flow.sign_artefact(trained.work, digest))


def doubtful(scorer: Scorer, trained: Trained) -> list[dict[str, object]]:
    """Flights whose probability lies near the threshold of 0.25."""
    scores = scorer.score_table(trained.rows)
    rows: list[dict[str, object]] = trained.rows.take(pa.array(np.argsort(np.abs(scores - 0.25))[:60])).to_pylist()
    return rows


def test_every_counter_example_really_changes_the_answer(scorer: Scorer, trained: Trained) -> None:
    found = 0
    for values in doubtful(scorer, trained):
        now = scorer.predict(values).answer
        for one in scorer.counter_examples(values):
            found += 1
            assert one.answer != now
            assert one.sentence.startswith("If ")
            assert one.sentence.endswith(" %).")
            assert one.column in scorer.plan.names
    assert found > 50


def test_a_number_is_moved_no_further_than_needed(scorer: Scorer, trained: Trained) -> None:
    column = "aircraft_last_delay"
    for values in doubtful(scorer, trained):
        examples = [one for one in scorer.counter_examples(values, top=12) if one.column == column]
        if not examples or values[column] is None:
            continue
        moved = float(examples[0].value.replace("−", "-").replace(",", ""))
        between = [
            edge
            for edge in scorer.reference.slots[column].edges
            if abs(edge - values[column]) < abs(moved - values[column]) - 1
        ]
        assert all(scorer.predict({**values, column: edge}).answer == scorer.predict(values).answer for edge in between)
        return
    pytest.fail("no flight has a counter-example in the delay of its aircraft")
