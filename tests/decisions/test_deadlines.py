"""How long an answer may take."""

from __future__ import annotations

import pytest

from pilotage.decisions.answering.deadlines import RECORD_SECONDS_MAX, deadline, patience_of


def test_the_budget_is_what_the_use_case_and_the_caller_both_allow() -> None:
    assert deadline(10.0, 100).due == pytest.approx(10.1)
    assert deadline(10.0, 100, 40).due == pytest.approx(10.04)
    assert deadline(10.0, 100, 4_000).due == pytest.approx(10.1)


def test_a_part_of_the_budget_is_kept_to_record_the_decision() -> None:
    assert deadline(0.0, 100).score_by == pytest.approx(0.1 - RECORD_SECONDS_MAX)
    assert deadline(0.0, 10).score_by == pytest.approx(0.008)


@pytest.mark.parametrize(
    ("headers", "wanted"),
    [
        ([], None),
        ([(b"x-request-timeout-ms", b"40")], 40),
        ([(b"x-request-timeout-ms", b"40"), (b"x-envoy-expected-rq-timeout-ms", b"15")], 15),
        ([(b"x-request-timeout-ms", b"0")], None),
        ([(b"x-request-timeout-ms", b"-5")], None),
        ([(b"x-request-timeout-ms", b"soon")], None),
        ([(b"x-request-timeout-ms", b"9" * 400)], None),
        ([(b"x-other", b"40")], None),
    ],
)
def test_what_the_caller_says_it_will_wait(headers: list[tuple[bytes, bytes]], wanted: float | None) -> None:
    assert patience_of(headers) == wanted
