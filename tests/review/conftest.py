"""Every test of review starts with the use case adopted and in stage assist."""

from __future__ import annotations

import pytest

from pilotage.platform.workspace import Workspace
from tests.review import arranging


@pytest.fixture
def live(work: Workspace) -> Workspace:
    """An installation with the use case adopted and in stage assist."""
    arranging.adopt(work)
    arranging.go_live(work)
    return work
