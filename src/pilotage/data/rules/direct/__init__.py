"""Lookups and windows as one query over a source's rows: what they were at a moment, asked in any of our dialects.

The timelines of :mod:`pilotage.data.rules.timelines` hold the answer of every moment; this asks for the answer of one.
Both say the same of the same rows, which the tests hold against each other. One builder writes three forms:

* **history**: each row of a spine with its own moment;
* **live**: one row, its key and moment as parameters, narrowed to what indices of the source can find;
* **now**: all keys of a source at one moment, for a table that is read live.

A row is visible at a moment m when it is the newest version of its key with ``known_at <= m``, is no deletion, and has
``event_time <= m``. *Candidates* are rows with the wanted key and time; of each candidate's own key all *versions* are
fetched, because a correction may have moved the row to another key, or taken it away.
"""

from pilotage.data.rules.direct.forms import history_query, live_query, now_query
from pilotage.data.rules.direct.groups import Group, groups
from pilotage.data.rules.direct.rows import RowColumn, Rows, relation_rows, table_rows
from pilotage.data.rules.direct.spark import to_spark
from pilotage.data.rules.direct.spelling import SPELLINGS, Spelling, for_driver, for_people

__all__ = [
    "SPELLINGS",
    "Group",
    "RowColumn",
    "Rows",
    "Spelling",
    "for_driver",
    "for_people",
    "groups",
    "history_query",
    "live_query",
    "now_query",
    "relation_rows",
    "table_rows",
    "to_spark",
]
