"""Training and live agree, to the last decision; where they do not, the version is refused and the column named."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from tests.decisions.parity.conftest import Opened, Trained
from tests.decisions.parity.over_http import body_of, served

from pilotage.cli.main import run
from pilotage.data import snapshots
from pilotage.data import store as training_sets
from pilotage.data.flow.replaying import Past, opened_past
from pilotage.data.live import Assembled
from pilotage.decisions import parity
from pilotage.decisions.answering.serving import Serving
from pilotage.decisions.parity import choosing, replaying
from pilotage.decisions.parity.comparing import TOLERANCE
from pilotage.decisions.parity.sighting import personal_columns
from pilotage.govern.records import SYSTEM
from pilotage.govern.rules.masking import HIDDEN
from pilotage.platform.errors import EvidenceMissing, GateClosed
from pilotage.releases import flow as releasing
from pilotage.releases.records import LiveParity, Version
from pilotage.rollout import flow as rollout
from pilotage.usecase.flow import parse_definition

Values = dict[str, Any]
SERVED = 300


class Altered:
    """Live columns of which something is changed before anybody sees it."""

    since: datetime | None = None
    waits = False

    def __init__(self, columns: Any, change: Callable[[Values], Values]) -> None:
        self._columns, self._change = columns, change

    def assemble_told(self, request: Mapping[str, Any], moment: datetime, within: float) -> Assembled:
        return Assembled(self._change(self._columns.assemble(request, moment)))


class Sent(Past):
    """A past in which the app sends something else."""

    change: Callable[[Values], Values]

    def requests(self, positions: Sequence[int]) -> list[Values]:
        return [type(self).change(request) for request in super().requests(positions)]


def sending(past: Past, change: Callable[[Values], Values]) -> Past:
    kind = type("Sent", (Sent,), {"change": staticmethod(change)})
    return kind(**{field.name: getattr(past, field.name) for field in dataclasses.fields(past)})  # type: ignore[no-any-return]


def altered(serving: Serving, change: Callable[[Values], Values]) -> Serving:
    return dataclasses.replace(serving, columns=Altered(serving.columns, change))  # type: ignore[arg-type]


def named(found: LiveParity) -> list[str]:
    return [each.column for each in found.differing]


def example(found: LiveParity, column: str) -> tuple[str, str]:
    only = next(each.example for each in found.differing if each.column == column)
    assert only is not None
    return only.trained, only.live


@pytest.fixture
def fewer(monkeypatch: pytest.MonkeyPatch) -> int:
    """So many rows are asked: what is planted shows in a thousand as it does in ten thousand."""
    monkeypatch.setattr(choosing, "ROWS_MAX", 1_500)
    monkeypatch.setattr(choosing, "NEAR_MAX", 100)
    return 1_500


def test_real_flights_asked_live_have_the_columns_of_training_and_no_decision_flips(opened: Opened) -> None:
    found = parity.measure(opened.serving, opened.scorer, opened.past)
    print(f"{found.asked:,} rows, {found.near:,} next to the threshold, {found.flips} flips")
    assert found.passed
    assert (found.asked, found.flips, found.differing, found.refused) == (10_000, 0, (), {})
    assert found.score_difference_max == 0.0
    assert found.near == 1_000


def test_a_derived_expression_that_is_another_live_is_named(trained: Trained, opened: Opened, fewer: int) -> None:
    changed = trained.definition.text.replace("EXTRACT(HOUR FROM scheduled_departure)", "distance_miles / 100")
    definition = parse_definition(changed, "late_arrival.yaml")
    with opened_past(trained.work, definition, trained.training_set) as past:
        serving = dataclasses.replace(opened.serving, columns=past.columns)
        found = parity.measure(serving, opened.scorer, opened.past)
    assert not found.passed
    assert "departure_hour" in named(found)
    assert set(named(found)) <= {"departure_hour", "score"}


def test_a_value_sent_in_other_units_is_named_with_an_example(opened: Opened, fewer: int) -> None:
    past = sending(opened.past, lambda sent: {**sent, "distance_miles": sent["distance_miles"] * 1.609344})
    found = parity.measure(opened.serving, opened.scorer, past)
    assert not found.passed
    assert {"distance_miles", "is_far"} <= set(named(found)) <= {"distance_miles", "is_far", "score"}
    trained_miles, live_kilometres = map(float, example(found, "distance_miles"))
    assert live_kilometres == pytest.approx(trained_miles * 1.609344)


def test_a_category_in_other_case_is_named_with_all_that_is_found_by_it(opened: Opened, fewer: int) -> None:
    past = sending(opened.past, lambda sent: {**sent, "carrier": sent["carrier"].lower()})
    found = parity.measure(opened.serving, opened.scorer, past)
    trained_carrier, live_carrier = example(found, "carrier")
    assert live_carrier == trained_carrier.lower() != trained_carrier
    by_carrier = {name for name in opened.serving.definition.plan.names if "_by_carrier_" in name}
    assert {"carrier", *by_carrier} <= set(named(found)) and len(by_carrier) == 6
    counts = next(each for each in found.differing if each.column == "mean_arr_delay_by_carrier_1d")
    assert counts.missing > 0 and counts.mismatch == counts.extra == 0


def test_a_lookup_that_is_lost_live_is_missing(opened: Opened, fewer: int) -> None:
    serving = altered(opened.serving, lambda values: {**values, "sky": None})
    found = parity.measure(serving, opened.scorer, opened.past)
    assert found.differing[0].column == "sky"
    assert found.differing[0].missing == found.differing[0].differing > 0.9 * fewer


def test_a_moment_in_another_zone_is_named_before_what_follows_from_it(opened: Opened, fewer: int) -> None:
    hours = timedelta(hours=5)
    past = sending(opened.past, lambda sent: {**sent, "scheduled_departure": sent["scheduled_departure"] - hours})
    found = parity.measure(opened.serving, opened.scorer, past)
    assert found.differing[0].column == "moment"
    assert found.differing[0].mismatch == found.asked


def test_a_difference_in_a_column_of_any_kind_is_found_however_small(opened: Opened, fewer: int) -> None:
    """In one row each, the least change that a value of its kind can have; of sums, by the column's largest."""
    names = list(opened.serving.definition.plan.names)
    sums = {name for name in names if name.startswith(("mean_", "sum_", "std_", "share_"))} | {"departure_hour"}
    left = list(names)
    rows = opened.past.rows
    least = {name: 2e-9 * float(pc.max(pc.abs(rows[name])).as_py()) for name in sums}

    def change(values: Values) -> Values:
        name = left[0] if left else ""
        if not left or values[name] is None:
            return values
        left.pop(0)
        return {**values, name: _nudged(values[name], least.get(name, 0.0))}

    found = parity.measure(altered(opened.serving, change), opened.scorer, opened.past)
    assert set(named(found)) - {"score"} == set(names)
    assert all(each.differing == 1 for each in found.differing if each.column in names)


def _nudged(value: Any, least: float) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, float):
        return value + least if least else math.nextafter(value, math.inf)
    return value + timedelta(microseconds=1) if isinstance(value, datetime) else value.swapcase() + " "


def test_sums_may_differ_in_their_last_digits_and_counts_may_not(opened: Opened, fewer: int) -> None:
    total, count = "sum_arr_delay_by_origin_1d", "count_by_carrier_1d"

    def change(values: Values) -> Values:
        last = {name: values[name] * (1 + TOLERANCE / 10) for name in (total, count) if values[name]}
        return {**values, **last}

    found = parity.measure(altered(opened.serving, change), opened.scorer, opened.past)
    assert count in named(found) and total not in named(found)


class OneUlpBelow:
    """A scorer whose threshold is the score of a row, and which answers one ulp less when it is asked for one row."""

    def __init__(self, scorer: Any, threshold: float) -> None:
        self._scorer = scorer
        self.manifest = msgspec.structs.replace(scorer.manifest, threshold=threshold)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._scorer, name)

    def row(self, values: Mapping[str, Any]) -> list[float]:
        return [math.nextafter(output, 0.0) for output in self._scorer.row(values)]


def test_a_threshold_one_ulp_away_flips_decisions_though_no_column_differs(opened: Opened, fewer: int) -> None:
    scores = opened.scorer.score_table(opened.past.rows)
    at = float(sorted(scores)[len(scores) * 3 // 4])
    found = parity.measure(opened.serving, OneUlpBelow(opened.scorer, at), opened.past)  # type: ignore[arg-type]
    assert not found.differing
    assert found.flips >= 1 and not found.passed
    assert found.flip is not None and found.flip.columns == ()


def test_where_nothing_was_measured_no_version_becomes_live(trained: Trained) -> None:
    unmeasured = msgspec.structs.replace(trained.version, id="ver_unmeasured")
    with pytest.raises(EvidenceMissing, match=r"pilotage parity late_arrival --version 1"):
        releasing.release(trained.work, trained.definition, unmeasured, SYSTEM, "try")


def in_kilometres(trained: Trained) -> Version:
    """A version that claims another training set: one whose distances are in kilometres."""
    import pyarrow.parquet as pq

    work, before = trained.work, trained.training_set
    rows = pq.read_table(work.lake.path(before.digest, snapshots.SEGMENT))
    place = rows.column_names.index("distance_miles")
    far = pc.multiply(rows["distance_miles"], pa.scalar(1.609344))
    with work.lake.writing() as path:
        pq.write_table(rows.set_column(place, "distance_miles", far), path)
        digest, _ = work.lake.keep(path, snapshots.SEGMENT)
    made = msgspec.structs.replace(before, id="set_kilometres", digest=digest)
    with work.database.writing() as connection:
        training_sets.add_training_set(connection, made)
    return msgspec.structs.replace(trained.version, id="ver_kilometres", training_set=made.id)


def test_a_version_that_would_answer_otherwise_than_trained_is_not_released(trained: Trained, fewer: int) -> None:
    with pytest.raises(GateClosed, match=r"may not become live.*distance_miles") as refused:
        rollout.release(trained.work, trained.definition, in_kilometres(trained), SYSTEM, "try")
    named_first = refused.value.problems[0]
    assert named_first.where == "distance_miles"
    assert "training has" in named_first.message and "live" in named_first.message
    assert releasing.live(trained.work, "late_arrival").version != "ver_kilometres"


def test_a_version_is_measured_once_and_then_released(trained: Trained) -> None:
    work, definition, version = trained.work, trained.definition, trained.version
    live = rollout.release(work, definition, version, SYSTEM, "as trained")
    found = releasing.parity_of(work, definition, version)
    assert live.version == version.id
    assert found is not None and found.passed and found.training_set == version.training_set
    rollout.release(work, definition, version, SYSTEM, "again")
    assert releasing.parity_of(work, definition, version) == found


def test_values_of_personal_columns_are_hidden_in_examples(trained: Trained, opened: Opened, fewer: int) -> None:
    personal = personal_columns(trained.definition, {})
    assert personal == {"tail_number"}
    serving = altered(opened.serving, lambda values: {**values, "tail_number": "N0"})
    found = parity.measure(serving, opened.scorer, opened.past, personal)
    assert HIDDEN in example(found, "tail_number")
    assert "N0" not in str(found)


def test_rows_that_the_contract_of_requests_refuses_are_counted_and_not_asked(opened: Opened, fewer: int) -> None:
    def without(sent: Values) -> Values:
        late = sent["scheduled_departure"].replace(tzinfo=UTC) >= datetime(2013, 11, 20, tzinfo=UTC)
        return {**sent, "origin": None} if late else sent

    found = parity.measure(opened.serving, opened.scorer, sending(opened.past, without))
    assert found.passed
    assert found.refused == {"origin": fewer - found.asked} and found.asked < fewer


def test_the_command_measures_a_version_and_prints_the_evidence(
    trained: Trained, fewer: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PILOTAGE_HOME", str(trained.work.home))
    assert run(["parity", "late_arrival", "--version", "1", "--json"]) == 0
    document = msgspec.json.decode(capsys.readouterr().out)
    assert (document["version"], document["passed"], document["parity"]["asked"]) == (1, True, fewer)
    assert run(["parity", "late_arrival", "--live"]) == 2
    assert "has no answers of the newest day" in capsys.readouterr().err


def test_what_a_slow_model_leaves_no_time_for_is_counted(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replaying, "SECONDS_MAX", 0.2)
    found = parity.measure(opened.serving, opened.scorer, opened.past)
    assert found.asked + found.unasked == 10_000
    assert 0 < found.asked < 10_000 and found.passed


def test_a_served_process_gives_the_scores_of_the_training_set_to_the_last_bit(
    trained: Trained, opened: Opened, fewer: int, tmp_path: Path
) -> None:
    positions = list(range(0, opened.past.rows.num_rows, opened.past.rows.num_rows // SERVED))
    trained_scores = opened.scorer.score_table(opened.past.rows.take(positions)).tolist()
    with served(trained, opened, tmp_path) as asked:
        live_scores = asked.scores([body_of(request) for request in opened.past.requests(positions)])
    assert len(set(trained_scores)) > SERVED / 4, "they can be told apart"
    assert live_scores == trained_scores
