"""A fingerprint of a table's values, independent of the file format and its writer's version."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa


def fingerprint(table: pa.Table) -> str:
    """SHA-256 over names, types, nulls and values, column by column, in the table's order of rows."""
    import pyarrow as pa

    digest = hashlib.sha256(f"{table.num_rows}".encode())
    for field in table.schema:
        values = table[field.name].combine_chunks()
        if pa.types.is_timestamp(values.type):
            values = values.cast(pa.timestamp("us")).cast(pa.int64())
        elif pa.types.is_boolean(values.type):
            values = values.cast(pa.int8())
        digest.update(f"\0{field.name}\0{values.type}\0".encode())
        digest.update(values.is_null().cast(pa.int8()).to_numpy(zero_copy_only=False).tobytes())
        digest.update(_bytes(values))
    return digest.hexdigest()


def _bytes(values: pa.Array) -> bytes:
    """The values in order, a null as nothing or zero; where it is null was hashed before."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
        texts = pc.fill_null(values, "")
        lengths = pc.binary_length(texts).cast(pa.int64()).to_numpy(zero_copy_only=False).tobytes()
        return bytes(lengths + "".join(texts.to_pylist()).encode())
    return bytes(pc.fill_null(values, 0).to_numpy(zero_copy_only=False).tobytes())
