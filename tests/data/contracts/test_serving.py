"""A contract that is adopted while the service runs counts from the next look on."""

from __future__ import annotations

import asyncio
from pathlib import Path

from pilotage.data import flow
from pilotage.data.contracts.guarding import unguarded
from pilotage.data.flow import adopting
from pilotage.decisions.answering.service import Service
from pilotage.govern.records import SYSTEM
from pilotage.platform.workspace import Workspace
from pilotage.usecase.flow import adopt
from tests.data.contracts.promises import ORDERS, write
from tests.data.shop import shop


def test_a_newly_adopted_contract_is_a_change(work: Workspace, shop_path: Path, tmp_path: Path) -> None:
    definition = adopt(work, shop(), SYSTEM)
    flow.sync(work, definition)

    async def once() -> None:
        service = Service(work)
        try:
            service.following.look_at_sources()
            before = service.following.servings["returns"]
            assert before.guard is unguarded
            service.following.look_at_sources()
            assert service.following.servings["returns"] is before
            adopting.adopt(work, definition, write(tmp_path / "contracts", orders=ORDERS), SYSTEM)
            service.following.look_at_sources()
            after = service.following.servings["returns"]
            broken = after.guard({"order_id": "x1", "store": "north", "amount": 101.0, "placed_at": work.clock.now()})
            assert [(each.column, each.rule) for each in broken] == [("order_id", "pattern"), ("amount", "range")]
            adopting.adopt(work, definition, tmp_path / "nothing", SYSTEM)
            service.following.look_at_sources()
            assert service.following.servings["returns"].guard is unguarded
        finally:
            service.close()

    asyncio.run(once())
