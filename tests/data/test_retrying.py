"""What fails for a reason that may pass is tried again, with waits that grow and spread; what will not pass is not."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from pilotage.data import flow
from pilotage.data.flow.retrying import Patience
from pilotage.data.records import Span
from pilotage.data.sources.asked import Asked
from pilotage.platform.clock import FixedClock
from pilotage.platform.errors import SourceUnavailable, SourceUnreachable
from pilotage.platform.workspace import Workspace
from tests.data.reading import reads
from tests.data.shop import shop
from tests.data.stored import result_of


class Away:
    """Visits do not answer, so many times."""

    def __init__(self, times: int, error: type[SourceUnavailable] = SourceUnreachable) -> None:
        self.left = times
        self.error = error

    def __call__(self, asked: Asked, span: Span) -> None:
        if asked.name == "visits" and self.left:
            self.left -= 1
            raise self.error(f"Source {asked.name} did not answer.", "Wait.")


def patient(waits: list[float], spread: float = 0.5) -> Patience:
    return Patience(sleep=waits.append, spread=lambda: spread)


def test_a_source_that_answers_the_third_time_is_read(
    work: Workspace, shop_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    seen = reads(monkeypatch, Away(2))
    results = flow.sync(work, shop(), patient(waits))
    assert result_of(results, "visits").rows_new == 150
    assert [result.source for result in results] == ["orders", "visits", "returns"]
    assert [name for name, _ in seen] == ["orders", "visits", "returns", "visits", "visits"]
    assert waits == [1.5, 5.25]
    assert flow.states(work, "returns")["visits"].failures == 0


@pytest.mark.parametrize("spread", [0.0, 1.0])
def test_the_waits_are_spread_and_end_within_some_ten_seconds(
    work: Workspace, shop_path: Path, monkeypatch: pytest.MonkeyPatch, spread: float
) -> None:
    waits: list[float] = []
    reads(monkeypatch, Away(3))
    with pytest.raises(SourceUnreachable, match="visits did not answer"):
        flow.sync(work, shop(), patient(waits, spread))
    assert len(waits) == 2
    assert sum(waits) == pytest.approx(6.75 * (0.5 + spread))
    assert flow.snapshot(work, "returns", "orders").rows == 60


def test_what_will_not_pass_by_itself_is_not_tried_again(
    work: Workspace, shop_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    seen = reads(monkeypatch, Away(1, SourceUnavailable))
    with pytest.raises(SourceUnavailable):
        flow.sync(work, shop(), patient(waits))
    assert (len(seen), waits) == (3, [])


def test_a_source_is_also_looked_at_again(
    work: Workspace, shop_path: Path, monkeypatch: pytest.MonkeyPatch, clock: FixedClock
) -> None:
    from pilotage.data import sources

    real, left = sources.introspect, ["visits", "visits"]

    def introspect(asked: Asked) -> object:
        if asked.name in left:
            left.remove(asked.name)
            raise SourceUnreachable("Source visits did not answer.", "Wait.")
        return real(asked)

    monkeypatch.setattr(sources, "introspect", introspect)
    waits: list[float] = []
    assert len(flow.sync(work, shop(), patient(waits))) == 3
    assert len(waits) == 2
    clock.advance(timedelta(hours=1))
    left.append("visits")
    with pytest.raises(SourceUnavailable):
        flow.sync_due(work, shop())
