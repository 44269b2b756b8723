"""A whole file of questions: what fits is answered, what cannot fit is said once."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import pytest

from pilotage.cli.main import run

Captured = pytest.CaptureFixture[str]

FILE = """\
use_case: refund
title: Refunds
owner: desk@example.com
data_owner: data@example.com
brief:
  workflow: The desk refunds orders.
  users: The desk
  decision: Refund at once or look first.
  kpi: Money lost
  latency_ms: 200
  value: {currency: EUR, caught: 10, false_alarm: -1}
sources:
  orders: {files: "FOLDER/orders.csv", key: [order_no], event_time: placed_on, known_at: placed_on}
decision:
  entity: order_no
  source: orders
  request: {shop: category, amount: number, placed_on: datetime}
outcome: {source: orders, positive: returned = 1, says: comes back}
inputs: {shop: request, amount: request}
rule: {positive: amount > 50, says: it is dear}
policy: {actions: {positive: Look, negative: Refund}, default: negative}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> Path:
    """A use case that was synced; its orders and shops have numbers, its days no time."""
    rows = [f"{n},{n % 3},{n},2024-01-{n % 28 + 1:02},{n % 2}" for n in range(1, 101)]
    (tmp_path / "orders.csv").write_text("order_no,shop,amount,placed_on,returned\n" + "\n".join(rows) + "\n")
    (tmp_path / "refund.yaml").write_text(FILE.replace("FOLDER", str(tmp_path)))
    monkeypatch.setenv("PILOTAGE_HOME", str(tmp_path / "home"))
    assert run(["sync", str(tmp_path / "refund.yaml")]) == 0, capsys.readouterr().err
    capsys.readouterr()
    return tmp_path


def answered(folder: Path, name: str, text: str) -> tuple[int, list[dict[str, object]]]:
    """The exit code of a batch and its lines."""
    (folder / name).write_text(text)
    out = folder / "answers.jsonl"
    code = run(["batch", "--file", str(folder / name), "--to", str(out)])
    return code, [json.loads(line) for line in out.read_text().splitlines()] if out.exists() else []


def test_a_table_of_other_columns_is_refused_before_a_line_is_written(folder: Path, capsys: Captured) -> None:
    code, lines = answered(folder, "rooms.csv", "room,shop,amount\n" + "1,a,3\n" * 5000)
    said = capsys.readouterr().err
    assert (code, lines) == (2, [])
    assert "unknown are room; missing are order_no, placed_on." in said
    assert "A request has: order_no, shop, amount, placed_on." in said
    assert len(said) < 400


def test_a_table_is_answered_in_its_order_and_without_a_warning(folder: Path, capsys: Captured) -> None:
    rows = "".join(f"{n},007,{n},2024-03-01\n" for n in range(1, 61))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        code, lines = answered(folder, "orders_today.csv", "order_no,shop,amount,placed_on\n" + rows)
    assert code == 0, capsys.readouterr().err
    answers = [line["answer"] for line in lines]
    assert [one["entity"] for one in answers] == [str(n) for n in range(1, 61)]  # type: ignore[index]
    assert {one["action"] for one in answers} == {"Look", "Refund"}  # type: ignore[index]


def test_a_line_with_many_mistakes_says_the_first_and_how_many_more(folder: Path) -> None:
    odd = json.dumps({f"field_{n}": n for n in range(40)})
    code, lines = answered(folder, "odd.jsonl", f"{odd}\n")
    error = str(lines[0]["problem"])
    assert code == 1
    assert error.count("Known:") == 1
    assert error.endswith("; and 41 more")
    assert len(error) < 400


def test_a_question_with_values_as_the_source_has_them_is_answered(folder: Path, capsys: Captured) -> None:
    (folder / "one.json").write_text('{"order_no": 99999, "shop": 2, "amount": 80, "placed_on": "2024-03-01"}')
    assert run(["decide", "--file", str(folder / "one.json")]) == 0, capsys.readouterr().err
    assert "99999: Look." in capsys.readouterr().out
