"""JSON with a name that comes twice is refused, whatever its size, in time that grows as it does."""

from __future__ import annotations

import time

import pytest

from pilotage.platform.errors import InvalidRequest
from pilotage.platform.strictness import demand_unique_names


def test_of_many_names_the_few_that_come_twice_are_told() -> None:
    names = [f"n{number}" for number in range(5)] + ["n1", "n3"]
    body = "{" + ", ".join(f'"{name}": 1' for name in names) + "}"
    with pytest.raises(InvalidRequest, match=r"names a field twice: n1, n3\."):
        demand_unique_names(body.encode())
    demand_unique_names(b'{"a": {"b": 1}, "c": {"b": 1}}')


@pytest.mark.parametrize("twice", [1, 100_000])
def test_a_hundred_thousand_names_are_looked_at_once(twice: int) -> None:
    names = [f'"n{number}": 0' for number in range(100_000)]
    body = f'{{"rows": [{{{",".join([*names, *names[:twice]])}}}]}}'.encode()
    began = time.process_time()
    with pytest.raises(InvalidRequest) as refused:
        demand_unique_names(body)
    assert time.process_time() - began < 2, "comparing each with each takes minutes"
    assert len(refused.value.problems) == min(twice, 20)
