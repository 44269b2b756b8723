"""Shapley values of leaves: exact, as an integral that a few points give exactly.

A leaf of value v on whose way d slots are asked adds ``v · Π f`` to the margin, with f = 1 where the row passes and 0
where not, and f = the share of rows that pass where the slot is not known (path-dependent TreeSHAP; Lundberg et al.
2020, "From local explanations to global understanding"). The Shapley value of slot j is then::

    v · (o_j - z_j) · ∫₀¹ Π_{k ≠ j} (z_k · (1 - t) + o_k · t) dt

o_k being 1 where the row passes, z_k the share: the weight of a coalition of s of the other d - 1 slots is
s! (d - 1 - s)! / d! = ∫ t^s (1 - t)^(d - 1 - s) dt. The integrand is a polynomial of degree d - 1, for which
Gauss-Legendre with ceil(d / 2) points is exact (compare Yu et al. 2022, "Linear TreeShap").
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from pilotage.models.families.candidate import Matrix, Vector

Tensor = NDArray[np.float64]


@cache
def points(count: int) -> tuple[Vector, Vector]:
    """Places in (0, 1) and their weights."""
    places, weights = np.polynomial.legendre.leggauss(count)
    return (places + 1) / 2, weights / 2


def points_needed(slots: int) -> int:
    """How many points are exact for ways of so many slots."""
    return (slots + 1) // 2


def _factors(shares: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Of shares of any shape, at each point, for a row that does not pass and one that does (… × 2 × points):

    what the slot is to the others, and the integral's weight times what it has itself, over the former.
    """
    places, weights = points(count)
    share = shares[..., None, None]
    passes = np.array([0.0, 1.0])[:, None]
    factor = share * (1 - places) + passes * places
    return factor, weights * (passes - share) / factor


def tables(shares: Matrix, values: Vector) -> Tensor:
    """What leaves (leaves × slots shares) add to each slot, for every row there can be: leaves × 2^slots × slots.

    Place k of the number of a row says whether it passes at slot k.
    """
    leaves, slots = shares.shape
    count = points_needed(slots)
    factor, own = _factors(shares, count)
    product = np.broadcast_to(values[:, None, None], (leaves, 1, count))
    for slot in range(slots):
        product = (factor[:, slot, :, None, :] * product[:, None]).reshape(leaves, -1, count)
    found = np.empty((leaves, 2**slots, slots))
    for slot in range(slots):
        parts = product.reshape(leaves, -1, 2, 2**slot, count)
        found[:, :, slot] = np.einsum("labcp,lbp->labc", parts, own[:, slot]).reshape(leaves, -1)
    return found
