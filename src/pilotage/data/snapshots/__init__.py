"""Snapshots in the lake: immutable Parquet segments and the manifest that names them.

A segment's rows are sorted by the instant at which they became known, key and the remaining columns, and written by one
writer with fixed settings: the same rows make the same bytes, hence the same digest. Besides the source's columns it
has two of ours:

* ``_deleted`` is true in a row that says that its key is gone from then on. Segments without it have no such row.
* ``_seen_at`` is set where a sync is the only one who knows when the row became known: in all rows of a static source
  (rows of its first sync: 1970), in rows that were changed in place (same key, same ``known_at``, other values), in
  keys found to be gone, and in keys that came back.

As a relation a snapshot has its columns, ``_known_at`` (``_seen_at``, else the source's ``known_at``) and ``_deleted``.
"""

from pilotage.data.snapshots.manifests import check_segments, declared, make_snapshot, read_snapshot, snapshot_of
from pilotage.data.snapshots.reading import engine, newest_sql, versions_sql
from pilotage.data.snapshots.staging import instant, stage, stored
from pilotage.data.snapshots.stored import SEGMENT, stored_sql
from pilotage.data.snapshots.writing import copy_sorted, write_segment

__all__ = [
    "SEGMENT",
    "check_segments",
    "copy_sorted",
    "declared",
    "engine",
    "instant",
    "make_snapshot",
    "newest_sql",
    "read_snapshot",
    "snapshot_of",
    "stage",
    "stored",
    "stored_sql",
    "versions_sql",
    "write_segment",
]
