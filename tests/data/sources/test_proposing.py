"""How an endpoint pages, concluded from its first answer: what is proposed reads all its rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pilotage.data.sources.asked import Asked
from pilotage.data.sources.proposing import propose_rest
from pilotage.platform.errors import SourceUnavailable, SourceUnreachable
from pilotage.usecase.records import Source
from tests.data.sources.asking import column_of
from tests.data.sources.rest_server import Asking, serving
from tests.data.sources.test_rest import ROWS, by_link, by_next_address


def by_page(asking: Asking) -> None:
    page = int(asking.parameters.get("page", 1))
    asking.answer({"data": {"rows": ROWS[3 * page - 3 : 3 * page]}, "meta": {"page": page, "total_pages": 3}})


def by_offset(asking: Asking) -> None:
    start, size = int(asking.parameters.get("offset", 0)), int(asking.parameters.get("limit", 3))
    asking.answer({"items": ROWS[start : start + size], "offset": start, "limit": size, "total": len(ROWS)})


def by_cursor(asking: Asking) -> None:
    start = int(asking.parameters.get("cursor", "0"))
    following = str(start + 3) if start + 3 < len(ROWS) else None
    asking.answer({"rows": ROWS[start : start + 3], "tags": [{"a": 1}], "meta": {"next_cursor": following}})


@pytest.mark.parametrize(
    ("answer", "paging", "items"),
    [
        (by_link, "link", ""),
        (by_next_address, "cursor", "results"),
        (by_page, "page", "data.rows"),
        (by_offset, "offset", "items"),
        (by_cursor, "cursor", "rows"),
        (lambda asking: asking.answer(ROWS), "none", ""),
    ],
)
def test_what_is_proposed_reads_all_rows(answer: Callable[[Asking], None], paging: str, items: str) -> None:
    with serving(answer) as (url, requests):
        proposal = propose_rest(f"{url}/rows")
        assert len(requests) == 1
        assert (proposal.rest.paging, proposal.rest.items) == (paging, items)
        asked = Asked("orders", Source(rest=proposal.rest, key=["id"]), "")
        assert sorted(column_of(asked, "id")) == [row["id"] for row in ROWS]
    assert len(proposal.says) == 2


@pytest.mark.parametrize("content", [b"<html>", {"error": "no"}, [1, 2], [], {"rows": []}])
def test_an_answer_without_rows_is_refused(content: Any) -> None:
    with (
        serving(lambda asking: asking.answer(content)) as (url, _),
        pytest.raises(SourceUnavailable, match="answer of"),
    ):
        propose_rest(f"{url}/rows?key=hunter2canary")


def test_an_endpoint_that_is_not_there_is_said_at_once() -> None:
    with pytest.raises(SourceUnreachable, match=r"does not answer at http://127\.0\.0\.1:1/rows: it cannot be reached"):
        propose_rest("http://127.0.0.1:1/rows")
