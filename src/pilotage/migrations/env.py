"""Runs the revisions on the connection that ``pilotage.platform.schema`` hands over."""

from __future__ import annotations

from alembic import context

import pilotage.data.contracts.store
import pilotage.data.store
import pilotage.decisions.durable.tallies
import pilotage.decisions.jobs.store
import pilotage.decisions.store
import pilotage.govern.store.audit_log
import pilotage.govern.store.identities
import pilotage.govern.store.keys
import pilotage.govern.store.people
import pilotage.govern.store.second_factors
import pilotage.monitor.incidents.store
import pilotage.monitor.readings_store
import pilotage.outcomes.reports_store
import pilotage.outcomes.store
import pilotage.platform.jobs
import pilotage.platform.replies
import pilotage.releases.store
import pilotage.review.opinions_store
import pilotage.review.store
import pilotage.review.views_store
import pilotage.usecase.store
import pilotage.webhooks.store  # noqa: F401  each of these declares its tables
from pilotage.platform.database import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True, compare_type=True)
context.run_migrations()
