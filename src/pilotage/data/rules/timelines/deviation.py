"""The sample standard deviation, exact in integers up to its square root.

With integers v of 90 bits, their number n and sum s, the integer mean m = s // n and the remainder r = s - n m,

    sum (v - mean)^2  =  sum v^2 - m (s + r) - r^2 / n

Squares have 180 bits, more than an integer of the engine. So every number is split into two halves of 45 bits,
v = h 2^45 + l, and the sums of h h, h l and l l are kept apart; of m (s + r) the same products are taken off each of
them *before* they are put together. What is left is small where the values are alike: nothing cancels in floats.
"""

from __future__ import annotations

HALF = 2**45
"""What splits a 90-bit integer into two: as ``v // HALF`` and ``v % HALF``, both with the sign of v."""


def deviation_sql(number: str, scale: str) -> str:
    """The standard deviation from the running totals ``n``, ``s``, ``hh``, ``hl`` and ``ll`` of that number.

    Null where fewer than two values are there.
    """
    n, s, hh, hl, ll = (f"{name}{number}" for name in ("n", "s", "hh", "hl", "ll"))
    mean = f"({s} // {n})"
    rest = f"({s} % {n})"
    total = f"({s} + {rest})"
    mean_high, mean_low = f"({mean} // {HALF})", f"({mean} % {HALF})"
    high, low = f"({total} // {HALF})", f"({total} % {HALF})"
    first = f"({hh} - {mean_high} * {high})"
    second = f"(2 * {hl} - {mean_high} * {low} - {mean_low} * {high})"
    third = f"({ll} - {mean_low} * {low})"
    carried = f"({second} + {third} // {HALF})"
    parts = [
        f"CAST({first} + {carried} // {HALF} AS DOUBLE) * {float(HALF) ** 2!r}",
        f"CAST({carried} % {HALF} AS DOUBLE) * {float(HALF)!r}",
        f"CAST({third} % {HALF} AS DOUBLE)",
        f"CAST({rest} * {rest} AS DOUBLE) / {n}",
    ]
    squares = f"{parts[0]} + {parts[1]} + {parts[2]} - {parts[3]}"
    return f"CASE WHEN {n} > 1 THEN sqrt(greatest({squares}, 0.0) / ({n} - 1)) / {scale} END"
