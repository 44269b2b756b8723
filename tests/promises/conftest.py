"""The long versions of the promises run where they are asked for: ``PROMISES=1``, as ``make promises`` does."""

from __future__ import annotations

import os

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if os.environ.get("PROMISES"):
        return
    for item in items:
        if item.get_closest_marker("long") is not None:
            item.add_marker(pytest.mark.skip(reason="takes minutes: PROMISES=1 runs it"))
