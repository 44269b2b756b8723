"""Where live values come from when they do not come from memory: the source's database, or a materialised table.

Every read is bounded in time and never raises: what could not be read is missing, with the reason beside it.
"""

from pilotage.data.places.reading import Read, Reader
from pilotage.data.places.source import source_reader
from pilotage.data.places.table import made_at, table_reader
from pilotage.data.places.writing import Keyed, replace

__all__ = ["Keyed", "Read", "Reader", "made_at", "replace", "source_reader", "table_reader"]
