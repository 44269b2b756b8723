"""What an office holds, in a form two offices can be compared by."""

import pyarrow.parquet as pq
from sqlalchemy import Row, select

from dispatch.office import Office
from dispatch.tables import metadata

Rows = list[Row[tuple[object, ...]]]


def tables_of(office: Office) -> dict[str, Rows]:
    with office.engine.connect() as connection:
        return {
            name: sorted(connection.execute(select(table)).all(), key=lambda row: str(row[0]))
            for name, table in metadata.tables.items()
        }


def weather_of(office: Office) -> dict[str, list[dict[str, object]]]:
    paths = sorted(office.weather_folder.iterdir())
    return {path.name: pq.read_table(path).to_pylist() for path in paths}
