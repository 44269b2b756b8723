"""Lookups and windows as step functions of the moment, in SQL.

What a lookup or window answers changes only when a row becomes visible, is replaced by its correction, or leaves the
window. So for each key there is a *timeline*: at each such instant, the values from then on. A training set joins its
moments to the timelines (``ASOF JOIN``), a live answer finds its moment in them by bisection: the same SQL makes both,
and they cannot disagree.

A row is visible at a moment m when ``event_time <= m`` and ``known_at <= m`` and no newer row of its key is known at m,
be it a correction or one that says that the key is deleted. ``known_at`` is the relation's ``_known_at``: the source's,
or when a sync saw the row where only the sync can say. With ``where``, what is not true of it is passed over; that is
asked of the version that is visible, so that a correction can take a row out and bring it back.
A window holds the visible rows with ``m - over < event_time``; *latest* takes the visible row with the newest
``event_time`` (then ``known_at``, key, values) and gives nothing when that is older than ``within``.

Every row is visible in one span of time, and every form is made from these spans in n log n, however many rows a window
holds and however late or often corrected they are: sums by what enters and leaves (:mod:`.sums`), distinct values by
the union of each value's spans (:mod:`.distinct`), extremes by halving the time (:mod:`.extremes`).
"""

from pilotage.data.rules.timelines.history import history_sql
from pilotage.data.rules.timelines.lines import SourceFacts, Timeline, key_columns, timelines
from pilotage.data.rules.timelines.making import timeline_sql
from pilotage.data.rules.timelines.reading import counts_rows, value_sql
from pilotage.data.rules.timelines.values import ENGINE_TYPES, cast

__all__ = [
    "ENGINE_TYPES",
    "SourceFacts",
    "Timeline",
    "cast",
    "counts_rows",
    "history_sql",
    "key_columns",
    "timeline_sql",
    "timelines",
    "value_sql",
]
