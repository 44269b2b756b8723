"""Models that somebody else trained, and candidates that somebody else wrote.

Nothing of them runs in this process but a graph of ONNX that was checked: what could be malformed is opened first in a
child, what was serialised by Python only in a confined child, and what comes back is ONNX bytes and numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from pilotage.usecase.records.candidates import Scale


class Foreign(Protocol):
    """A model that was not learnt here, asked with column values. Safe for many threads at once.

    Outputs of a flag: one, a probability or log-odds as ``scale`` says. Of a category: one probability per class, in
    the order of ``classes``. Of a number: one, the value.
    """

    @property
    def classes(self) -> tuple[str, ...]:
        """The outcome's categories in the order of the outputs; empty for a flag and a number."""

    @property
    def scale(self) -> Scale:
        """What the output of a flag is."""

    def row(self, values: Mapping[str, Any]) -> list[float]:
        """The outputs of one row.

        Raises:
            ValueError: a value cannot be given to the model, or its answer is none.
        """

    def table(self, table: pa.Table) -> NDArray[np.float64]:
        """The outputs of many rows: rows × outputs.

        Raises:
            ValueError: a value cannot be given to the model, or its answer is none.
        """
