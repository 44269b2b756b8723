"""The rows of segments as they lie in the lake."""

from __future__ import annotations

from collections.abc import Sequence

from pilotage.data.records import Segment
from pilotage.data.rules.marks import DELETED, SEEN
from pilotage.platform.lake import Lake
from pilotage.platform.quoting import literal

SEGMENT = ".parquet"


def stored_sql(lake: Lake, segments: Sequence[Segment]) -> str:
    """The rows of segments as they are stored, ``_deleted`` and ``_seen_at`` null where a segment lacks them."""
    nothing = f"SELECT CAST(NULL AS BOOLEAN) AS {DELETED}, CAST(NULL AS TIMESTAMP) AS {SEEN} WHERE false"
    paths = ", ".join(literal(str(lake.path(segment.digest, SEGMENT))) for segment in segments)
    files = f"SELECT * FROM read_parquet([{paths}], union_by_name = true)"
    return f"({nothing} UNION ALL BY NAME {files})" if segments else f"({nothing})"
