"""A small shop whose orders come back: data, a use-case file, and a model trained through the command line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

ORDERS = 3_000
FILE = """
use_case: returns
title: Returned orders
owner: owner@shop.example
brief:
  workflow: Somebody looks at orders before they are sent.
  users: The store
  decision: Look at the order, or send it.
  kpi: Returns
  value: {currency: EUR, caught: 10, false_alarm: -4}
sources:
  orders: {files: FOLDER/orders.csv, key: [order_no], event_time: placed_at, known_at: placed_at}
  ends: {files: FOLDER/ends.csv, key: [order_no], event_time: closed_at, known_at: closed_at}
decision:
  entity: order_no
  source: orders
  moment: placed_at
  request: {size: number, channel: category, customer: {kind: category, personal: true}, placed_at: datetime}
outcome: {source: ends, positive: "ended = 'back'", says: comes back, matures: 1 day}
inputs: {size: request, channel: request, customer: request}
rule: {positive: size > 45, says: it is large}
policy:
  actions: {positive: Look at it, negative: Send it}
  default: negative
candidates: {only: [linear], monotone: {size: rises}}
"""


def shop(folder: Path, files: str = "") -> Path:
    """The use-case file in a folder of a shop; ``files`` is how it names its data, their path when empty."""
    random = np.random.default_rng(3)
    (folder / "data").mkdir(parents=True)
    orders, ends = ["order_no,size,channel,customer,placed_at"], ["order_no,ended,closed_at"]
    begin = datetime(2024, 1, 1, tzinfo=UTC)
    for number in range(ORDERS):
        at = begin + timedelta(minutes=40 * number)
        size, channel = int(random.integers(1, 60)), str(random.choice(["web", "app", "phone"]))
        share = 1 / (1 + np.exp(-(size - 40 + 8 * (channel == "app")) / 6))
        ended = "back" if random.uniform() < share else "kept"
        orders.append(f"A{number:05},{size},{channel},{random.choice(['new', 'known'])},{at:%Y-%m-%d %H:%M:%S}")
        ends.append(f"A{number:05},{ended},{at + timedelta(hours=20):%Y-%m-%d %H:%M:%S}")
    (folder / "data" / "orders.csv").write_text("\n".join(orders) + "\n")
    (folder / "data" / "ends.csv").write_text("\n".join(ends) + "\n")
    path = folder / "returns.yaml"
    path.write_text(FILE.replace("FOLDER", files or str(folder / "data")))
    return path
