"""Before a version may become live: past rows of its training set, asked through the live path as of their time."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from pilotage.data.flow import contracting, replaying
from pilotage.data.flow.replaying import Past
from pilotage.data.records import SEED
from pilotage.decisions import kinds
from pilotage.decisions.answering.serving import Question, Serving, open_serving
from pilotage.decisions.parity import answers, choosing
from pilotage.decisions.parity.answers import Policy
from pilotage.decisions.parity.comparing import TOLERANCE, Tally, largest, plainly, size_of, tolerance_of
from pilotage.decisions.parity.sighting import personal_columns, shown
from pilotage.models import flow as modelling
from pilotage.models.raw import FAILURES
from pilotage.models.scoring import Scorer
from pilotage.platform.errors import EvidenceMissing, InvalidRequest
from pilotage.platform.instants import as_utc
from pilotage.platform.workspace import Workspace
from pilotage.releases import flow as releasing
from pilotage.releases.records import LIVE_PARITY, Flip, LiveParity, ParityExample, Version
from pilotage.usecase.flow import keep_evidence
from pilotage.usecase.records import Definition
from pilotage.usecase.rules.live_places import placed_columns

MOMENT, RULE, SCORE = "moment", "rule", "score"
"""What is compared beside the columns: when the decision is due, what the rule says, what the model answers."""

SECONDS_MAX = 120.0
"""How long rows are asked: a model behind somebody's endpoint may take long for each."""

_LATER = timedelta(days=1)


def replay(work: Workspace, definition: Definition, version: Version) -> LiveParity:
    """Ask past rows of the version's training set through the live path, and keep as evidence what came of it.

    Raises:
        Conflict: the version cannot be loaded, or was made for other columns than the file has now.
        EvidenceMissing: its training set, or a snapshot that this was made from, cannot be read any more.
    """
    releasing.refuse_unfit(work, definition, version)
    training_set = replaying.find_training_set(work, version.training_set)
    if training_set is None:
        again = f"Run pilotage build {definition.name} and pilotage train {definition.name}."
        raise EvidenceMissing(f"The training set of version {version.number} is not known here.", again)
    began = time.perf_counter()
    contracts = contracting.current(work, definition.name)
    scorer = modelling.load_artefact(work, version.artefact, version.signature)
    with replaying.opened_past(work, definition, training_set) as past:
        serving = open_serving(work, definition, past.columns)
        found = measure(serving, scorer, past, personal_columns(definition, contracts))
    found = msgspec.structs.replace(
        found,
        version=version.id,
        artefact=version.artefact,
        training_set=training_set.id,
        seconds=time.perf_counter() - began,
    )
    keep_evidence(work, definition, LIVE_PARITY, {**msgspec.to_builtins(found), "passed": found.passed})
    return found


def measure(serving: Serving, scorer: Scorer, past: Past, personal: frozenset[str] = frozenset()) -> LiveParity:
    """How what is answered for past rows compares with what their training set has; values of ``personal`` are hidden.

    The scorer is asked one row at a time for live values, and many rows at once for those of the training set.
    """
    policy = answers.policy_of(scorer)
    chosen, near = _chosen(serving, scorer, past, policy)
    rows = past.rows.take(chosen)
    trained, outputs = rows.to_pylist(), scorer.calibrated(rows).tolist()
    asked = _Asked(serving, scorer, policy, personal, trained, outputs)
    unasked = _ask_all(asked, past.requests(chosen.tolist()), trained, outputs)
    counted = [tally.counted() for tally in asked.tallies.values()]
    differing = sorted((each for each in counted if each.differing), key=lambda each: -each.differing)
    return LiveParity(
        version="",
        artefact="",
        training_set="",
        rows=past.rows.num_rows,
        asked=asked.count,
        near=near,
        refused=dict(asked.refused.most_common()),
        columns=len(serving.definition.plan.columns),
        differing=tuple(differing),
        score_difference_max=asked.difference_max,
        flips=asked.flips,
        flip=asked.flip,
        seconds=0.0,
        unasked=unasked,
        elsewhere=tuple(placed_columns(serving.definition.use_case)),
    )


def _ask_all(
    asked: _Asked, requests: Sequence[Mapping[str, Any]], rows: Sequence[Mapping[str, Any]], trained: Sequence[Any]
) -> int:
    """Ask in random order, so that whoever runs out of time has asked of all times; how many rows were left."""
    order = np.random.default_rng(SEED).permutation(len(rows)).tolist()
    began = time.monotonic()
    for done, at in enumerate(order):
        if time.monotonic() - began > SECONDS_MAX:
            return len(order) - done
        asked.row(requests[at], rows[at], trained[at])
    return 0


def _chosen(serving: Serving, scorer: Scorer, past: Past, policy: Policy) -> tuple[NDArray[np.intp], int]:
    """Which rows are asked, and how many of them because their scores lie next to where the decision changes."""
    count = past.rows.num_rows
    scored = choosing.spread(count, choosing.SCORED_MAX)
    distances = policy.distances(scorer.calibrated(past.rows.take(scored)))
    near = choosing.nearest(scored, distances) if np.isfinite(distances).any() else scored[:0]
    first = np.union1d(near, choosing.odd(past.rows, serving.definition.plan.names))
    return choosing.together(count, first), len(near)


class _Asked:
    """Asks row by row, and counts what came of it. ``trained`` and ``outputs`` are the columns and scores of then."""

    def __init__(
        self,
        serving: Serving,
        scorer: Scorer,
        policy: Policy,
        personal: frozenset[str],
        trained: Sequence[Mapping[str, Any]],
        outputs: Sequence[Sequence[float]],
    ) -> None:
        plan = serving.definition.plan
        self.count = self.flips = 0
        self.refused: Counter[str] = Counter()
        self.difference_max = 0.0
        self.flip: Flip | None = None
        self.tallies = {MOMENT: Tally(MOMENT, 0.0, plainly)}
        for column in plan.columns:
            size = size_of(column, [row[column.name] for row in trained])
            self.tallies[column.name] = Tally(column.name, tolerance_of(column), shown(column.name, personal), size)
        # Probabilities are on a scale of 1, values on one of their own.
        score_size = largest([output for row in outputs for output in row]) if scorer.kind == "number" else 1.0
        self.tallies |= {
            RULE: Tally(RULE, 0.0, plainly),
            SCORE: Tally(SCORE, max(TOLERANCE, scorer.tolerance), plainly, score_size),
        }
        self._serving, self._scorer, self._policy = serving, scorer, policy
        self._columns = [(column.name, self.tallies[column.name].add) for column in plan.columns]
        self._optional = {name for name, column in plan.request.items() if not column.required}
        # Asked a day late a request must still say of itself when it was due; where it cannot, it is asked in time.
        self._later = _LATER if plan.moment else timedelta(0)
        self._entity = shown(plan.entity, personal) if plan.entity in personal else str

    def row(self, request: Mapping[str, Any], trained: Mapping[str, Any], outputs: Sequence[float]) -> None:
        """Ask for one row: its request as JSON, the columns and the score of then."""
        moment = as_utc(trained["moment"])
        try:
            question = self._serving.ask(self._body(request), moment + self._later)
        except InvalidRequest as error:
            self.refused[error.problems[0].where] += 1
            return
        if question.is_blocked or question.values is None:
            self.refused[", ".join(breach.column for breach in question.breaches)] += 1
            return
        self.count += 1
        self._compare(question, question.values, trained, outputs, moment)

    def _compare(
        self,
        question: Question,
        values: Mapping[str, Any],
        trained: Mapping[str, Any],
        outputs: Sequence[float],
        moment: datetime,
    ) -> None:
        entity = self._entity(trained["entity"])
        self.tallies[MOMENT].add(moment, question.moment, entity, moment)
        same = [(name, add(trained[name], values[name], entity, moment)) for name, add in self._columns]
        kind = self._serving.definition.use_case.kind
        rule = kinds.said(kind, self._serving.rule({**question.request, **values}))
        self.tallies[RULE].add(trained[RULE], rule, entity, moment)
        live = self._outputs(values)
        one, other = _furthest(outputs, live)
        self.tallies[SCORE].add(one, other, entity, moment)
        if live is None:
            return
        self.difference_max = max(self.difference_max, abs(one - other))
        if self._policy.flips(outputs, live):
            self.flips += 1
            columns = tuple(name for name, is_same in same if not is_same)
            self.flip = self.flip or Flip(ParityExample(entity, moment, plainly(one), plainly(other)), columns)

    def _body(self, request: Mapping[str, Any]) -> bytes:
        """The request as the app sends it: what it does not know it leaves out, where it may."""
        sent = {
            name: as_utc(value) if isinstance(value, datetime) else value
            for name, value in request.items()
            if value is not None or name not in self._optional
        }
        return msgspec.json.encode(sent)

    def _outputs(self, values: Mapping[str, Any]) -> Sequence[float] | None:
        try:
            return self._scorer.row(values)
        except FAILURES:
            return None


def _furthest(trained: Sequence[float], live: Sequence[float] | None) -> tuple[float, Any]:
    """The output in which two answers differ most, of both."""
    if live is None:
        return trained[0], None
    return max(zip(trained, live, strict=True), key=lambda pair: abs(pair[0] - pair[1]))
