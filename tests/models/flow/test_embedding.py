"""A comparison whose file asks for embeddings: from the file to an artefact that is asked one text at a time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from pilotage.data.records import TrainingSet
from pilotage.models import artefacts, flow
from pilotage.models.inputs import sentences
from pilotage.models.raw import Encoded
from pilotage.platform.clock import FixedClock
from pilotage.platform.settings import Settings
from pilotage.platform.workspace import open_workspace
from pilotage.usecase.flow import parse_definition
from tests.models import flights
from tests.models.test_embedding import MISSING
from tests.real_data import real_data

pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"EXTRA MISSING: {', '.join(MISSING)}: pip install '.[text]'")

ROWS, LETTERS = 500, 40
FILE = """
use_case: great_reviews
title: Great reviews
owner: shop@example.org
brief:
  workflow: People pick the reviews that a product's page shows.
  users: Editors
  decision: When a review arrives, show it or leave it.
  kpi: Reviews shown a day
  value: {currency: USD, caught: 2, false_alarm: -1, review_minute: -0.5}
sources:
  reviews: {files: reviews.parquet, key: [id], event_time: at, known_at: at}
  scores: {files: scores.parquet, key: [id], event_time: at, known_at: at}
decision: {entity: id, moment: at, source: reviews, request: {at: datetime, review: text}}
outcome: {source: scores, positive: score = 'great', says: was scored as great, matures: 1 minute}
inputs: {review: request}
rule: {positive: "review LIKE '%great%'", says: it says great}
policy: {actions: {positive: Show it, negative: Leave it}}
candidates: {only: [linear], texts: embedding}
"""


@pytest.fixture(scope="module")
def rows() -> pa.Table:
    """The beginnings of food reviews, as if one had arrived an hour."""
    table = pq.read_table(real_data("food_reviews")).slice(0, ROWS)
    review = pc.utf8_slice_codeunits(table["review"], 0, LETTERS)
    start = datetime(2025, 1, 1, tzinfo=UTC)
    return pa.table(
        {
            "entity": [f"r{number:04}" for number in range(ROWS)],
            "moment": [start + timedelta(hours=number) for number in range(ROWS)],
            "review": review,
            "rule": pc.match_like(review, "%great%"),
            "label": pc.equal(table["score"], "great"),
        }
    )


def test_a_file_that_asks_for_embeddings_gets_an_artefact_that_reads_texts_alone_as_among_many(
    rows: pa.Table, tmp_path: Path
) -> None:
    definition = parse_definition(FILE, "great_reviews.yaml")
    work = open_workspace(Settings(home=tmp_path / "home"), FixedClock(datetime(2025, 12, 5, tzinfo=UTC)))
    training_set: TrainingSet = msgspec.structs.replace(flights.training_set(rows), use_case=definition.name)
    comparison = flow.compare_on(work, definition, training_set, rows, lambda said: None)
    digest = comparison.artefacts["linear"]
    scorer = flow.load_artefact(work, digest, artefacts.sign(work, digest))
    assert isinstance(scorer.raw, Encoded)
    assert len(scorer.raw.encoder.slots) == sentences.DIMENSIONS
    assert set(scorer.manifest.libraries) >= set(sentences.LIBRARIES)
    some = rows.select(["review"]).slice(ROWS - 20)
    alone = [scorer.score(values) for values in some.to_pylist()]
    assert np.array_equal(alone, scorer.score_table(some))
    assert {signal.column for signal in scorer.signals({"review": "great tea"})} == {"review"}
