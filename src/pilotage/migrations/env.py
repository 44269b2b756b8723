"""Runs the revisions on the connection that ``pilotage.platform.schema`` hands over."""

from __future__ import annotations

import importlib
import importlib.util

from alembic import context

from pilotage.platform.database import metadata

for room in ("govern", "usecase", "data", "releases", "decisions", "review", "outcomes", "monitor", "rollout"):
    if importlib.util.find_spec(f"pilotage.{room}.store"):
        importlib.import_module(f"pilotage.{room}.store")

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True, compare_type=True)
context.run_migrations()
