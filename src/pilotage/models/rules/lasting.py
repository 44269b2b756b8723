"""What was known last: the outcome of the newest decision that had matured by the moment of another one."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[Any]


def last_known(
    moments_us: NDArray[np.int64], labels: Labels, judged: NDArray[np.intp], matures_us: int
) -> Labels | None:
    """Per judged row the label of the newest row that is older by at least the maturity; ``moments_us`` ascend.

    None where a judged row has no such row before it.
    """
    newest = np.searchsorted(moments_us, moments_us[judged] - matures_us, side="right") - 1
    if not len(newest) or newest.min() < 0:
        return None
    found: Labels = labels[newest]
    return found
