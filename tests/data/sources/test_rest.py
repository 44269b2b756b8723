"""REST endpoints: every way of paging, servers that are busy or broken, and credentials that stay where they belong."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from pilotage.data import sources
from pilotage.data.records import Span
from pilotage.data.sources import answering, paging, rest
from pilotage.data.sources.asked import Asked
from pilotage.usecase.records import Rest
from tests.data.sources.asking import asked_for, column_of, failure_of, rows_of, types_of
from tests.data.sources.rest_server import Asking, serving

ROWS = [{"id": f"{n:05}", "n": n, "at": f"2013-01-01T{n:02}:00:00Z", "o": {"x": n / 2}} for n in range(7)]
TOKEN = "Bearer hunter2canary"


@pytest.fixture(autouse=True)
def paused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[float]:
    """The pauses that were made, without making them; temporary files go into an empty directory."""
    made: list[float] = []
    monkeypatch.setattr(answering, "pause", made.append)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    monkeypatch.setenv("TOKEN", TOKEN)
    return made


def at(url: str, **declared: Any) -> Asked:
    outer = {name: declared.pop(name) for name in ("timeout", "rows_max", "known_at", "event_time") if name in declared}
    return asked_for(rest=Rest(url=url, **({"size": 3} | declared)), **outer)


def page_of(start: int, count: int = 3) -> list[dict[str, Any]]:
    return ROWS[start : start + count]


def by_page(asking: Asking) -> None:
    asking.answer(page_of(3 * (int(asking.parameters["page"]) - 1)))


def by_offset(asking: Asking) -> None:
    asking.answer({"data": {"rows": page_of(int(asking.parameters["skip"]))}})


def by_cursor(asking: Asking) -> None:
    start = int(asking.parameters.get("after", "0"))
    following = str(start + 3) if start + 3 < len(ROWS) else None
    asking.answer({"items": page_of(start), "meta": {"next": following}})


def by_link(asking: Asking) -> None:
    start = int(asking.parameters.get("start", "0"))
    link = {"Link": f'</rows?start={start + 3}&limit=3>; rel="next"'} if start + 3 < len(ROWS) else {}
    asking.answer(page_of(start), **link)


def by_next_address(asking: Asking) -> None:
    start = int(asking.parameters.get("start", "0"))
    following = f"http://{asking.headers['Host']}/rows?start={start + 3}" if start + 3 < len(ROWS) else None
    asking.answer({"results": page_of(start), "next": following})


@pytest.mark.parametrize(
    ("answer", "declared"),
    [
        (by_page, {"paging": "page"}),
        (by_offset, {"paging": "offset", "parameter": "skip", "items": "data.rows"}),
        (by_cursor, {"paging": "cursor", "parameter": "after", "cursor": "meta.next", "items": "items"}),
        (by_link, {"paging": "link"}),
        (by_next_address, {"paging": "cursor", "cursor": "next", "items": "results"}),
        (lambda asking: asking.answer(ROWS), {"paging": "none"}),
    ],
)
def test_all_pages_are_read_however_they_are_asked_for(
    answer: Callable[[Asking], None], declared: dict[str, Any], tmp_path: Path
) -> None:
    with serving(answer) as (url, _):
        asked = at(f"{url}/rows", **declared)
        assert types_of(asked) == {"id": "VARCHAR", "n": "BIGINT", "at": "TIMESTAMP", "o.x": "DOUBLE"}
        assert sorted(column_of(asked, "id")) == [row["id"] for row in ROWS]
    assert sources.extent(asked, (), Span()) is None
    rest._kept.clear()
    assert list((tmp_path / "temporary").iterdir()) == []


def test_a_server_with_a_smaller_limit_than_was_asked_for_loses_no_rows() -> None:
    with serving(lambda asking: asking.answer(page_of(int(asking.parameters["offset"]), 2))) as (url, asked):
        assert len(rows_of(at(url, paging="offset", size=500))) == 7
        assert asked[0].parameters == {"offset": "0", "limit": "500"}


def test_types_agree_over_all_pages_and_numbers_are_kept_as_written() -> None:
    pages = {"1": b'[{"id":1,"x":1}]', "2": b'[{"id":12345678901234567,\n"x":"00123"}]', "3": b"[]"}
    with serving(lambda asking: asking.answer(pages[asking.parameters["page"]])) as (url, _):
        found = sorted(rows_of(at(url, paging="page")), key=lambda row: row["id"])
    assert found == [{"id": 1, "x": "1"}, {"id": 12345678901234567, "x": "00123"}]


def test_what_was_fetched_to_look_is_read_and_not_fetched_again() -> None:
    with serving(by_page) as (url, requests):
        asked = at(url, paging="page")
        columns = sources.introspect(asked)
        looked = len(requests)
        assert sum(batch.num_rows for batch in sources.read(asked, columns, Span())) == 7
        assert len(requests) == looked
        assert sum(batch.num_rows for batch in sources.read(asked, columns, Span())) == 7
        assert len(requests) == 2 * looked


def test_only_what_is_new_is_asked_for_where_the_endpoint_can_tell() -> None:
    def answer(asking: Asking) -> None:
        asking.answer([row for row in ROWS if row["at"] >= asking.parameters.get("updated_since", "")])

    with serving(answer) as (url, requests):
        asked = at(url, paging="none", since="updated_since", known_at="at", event_time="at")
        assert types_of(asked)["n"] == "DOUBLE"
        after = datetime(2013, 1, 1, 4, tzinfo=UTC)
        assert [row["n"] for row in rows_of(asked, Span(after))] == [4.0, 5.0, 6.0]
        assert requests[-1].parameters == {"updated_since": "2013-01-01T04:00:00.000000Z"}
        assert rows_of(asked, Span(after + timedelta(days=9))) == []


def test_a_busy_server_is_asked_again_after_the_time_it_names(paused: list[float]) -> None:
    moment = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    refusals = iter([(429, {"Retry_After": "7"}), (503, {}), (429, {"Retry_After": moment})])

    def answer(asking: Asking) -> None:
        refusal = next(refusals, None)
        if refusal:
            asking.answer({"error": "busy"}, refusal[0], **refusal[1])
        else:
            asking.answer(ROWS)

    with serving(answer) as (url, _):
        assert len(rows_of(at(url, paging="none"))) == 7
    assert paused[:2] == [7.0, 2.0]
    assert 90 < paused[2] <= 100


def test_a_server_that_fails_for_good_is_named_when_its_timeout_is_over(
    monkeypatch: pytest.MonkeyPatch, paused: list[float]
) -> None:
    now = [0.0]
    monkeypatch.setattr(answering.time, "monotonic", lambda: now[0])

    def pass_time(seconds: float) -> None:
        paused.append(seconds)
        now[0] += seconds

    monkeypatch.setattr(answering, "pause", pass_time)
    with serving(lambda asking: asking.answer({}, 500)) as (url, _):
        said = failure_of(at(f"{url}/rows?key=hunter2canary", paging="none", timeout="2 minutes"))
    assert "it answers 500, until its timeout of 2 minutes" in said
    assert "hunter2canary" not in said
    assert paused == [1, 2, 4, 8, 16, 32]


def test_a_server_that_is_silent_or_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "seconds", lambda _: 0.2)
    release = threading.Event()
    with serving(lambda asking: release.wait(5) and None) as (url, _):
        said = failure_of(at(url, paging="none"))
        release.set()
    assert "it is silent" in said
    assert "it cannot be reached" in failure_of(at("http://127.0.0.1:1/rows", paging="none"))


@pytest.mark.parametrize(
    ("content", "declared", "says"),
    [
        (b"<html>Sign in</html>", {}, "the answer is no JSON (text/html)"),
        (b"", {}, "the answer is no JSON"),
        (b"[1, 2", {}, "the answer is no JSON"),
        ({"rows": []}, {}, "there is no list in the answer. Say in `rest.items` where it lies. The answer has rows."),
        ({"rows": []}, {"items": "data.rows"}, "there is no list at data.rows of the answer"),
        ([1, 2], {}, "its list holds something else than objects"),
        ([], {}, "gave no rows"),
        ("text", {}, "there is no list in the answer"),
    ],
)
def test_what_is_no_list_of_objects_is_named(content: Any, declared: dict[str, Any], says: str) -> None:
    kind = "text/html; charset=utf-8" if isinstance(content, bytes) else "application/json"
    with serving(lambda asking: asking.answer(content, kind=kind)) as (url, _):
        assert says in failure_of(at(url, paging="none", **declared))


@pytest.mark.parametrize(
    ("declared", "answer"),
    [
        ({"paging": "page"}, lambda asking: asking.answer(ROWS)),
        ({"paging": "offset"}, lambda asking: asking.answer(ROWS)),
        (
            {"paging": "cursor", "cursor": "next", "items": "rows"},
            lambda asking: asking.answer({"rows": ROWS, "next": "same"}),
        ),
        ({"paging": "link"}, lambda asking: asking.answer(ROWS, Link='</rows?page=2>; rel="next"')),
    ],
)
def test_pages_that_would_never_end_are_noticed(
    declared: dict[str, Any], answer: Callable[[Asking], None], tmp_path: Path
) -> None:
    with serving(answer) as (url, requests):
        assert "the same page came twice" in failure_of(at(f"{url}/rows", **declared))
        assert len(requests) <= 3
    assert list((tmp_path / "temporary").iterdir()) == []


def test_headers_go_to_the_server_and_nowhere_else() -> None:
    with serving(lambda asking: asking.answer(ROWS)) as (elsewhere, overheard):
        elsewhere = elsewhere.replace("127.0.0.1", "localhost")

        def answer(asking: Asking) -> None:
            if asking.path == "/redirect":
                asking.answer({}, 302, Location=f"{elsewhere}/rows")
            elif asking.path == "/near":
                asking.answer({}, 307, Location="/rows")
            elif asking.path == "/link":
                asking.answer(ROWS, Link=f'<{elsewhere}/rows?page=2>; rel="next"')
            elif asking.path == "/circle":
                asking.answer({}, 302, Location="/circle")
            else:
                asking.answer(ROWS)

        with serving(answer) as (url, requests):
            headers = {"Authorization": "env:TOKEN"}
            assert len(rows_of(at(f"{url}/near", paging="none", headers=headers))) == 7
            assert all(asking.headers["Authorization"] == TOKEN for asking in requests)
            said = failure_of(at(f"{url}/redirect", paging="none", headers=headers))
            assert "redirects to http://localhost, which is not followed" in said
            said += failure_of(at(f"{url}/link", headers=headers))
            assert "its next page is at another host, localhost" in said
            assert "redirects in a circle" in failure_of(at(f"{url}/circle", paging="none", headers=headers))
    assert overheard == []
    assert TOKEN not in said


@pytest.mark.parametrize("status", [401, 403, 404, 418])
def test_a_refusal_is_told_with_the_names_of_the_headers_and_never_with_their_values(status: int) -> None:
    with serving(lambda asking: asking.answer({}, status)) as (url, _):
        said = failure_of(at(f"{url}/rows", paging="none", headers={"X-Key": "env:TOKEN"}))
    assert f"/rows answers {status}" in said
    assert ("X-Key" in said) == (status in (401, 403))
    assert TOKEN not in said


def test_a_header_that_cannot_be_sent_is_named_without_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "hunter2\ncanary")
    said = failure_of(at("http://127.0.0.1:1/rows", headers={"X-Key": "env:TOKEN"}))
    assert "header X-Key holds signs" in said
    assert "hunter2" not in said
    monkeypatch.delenv("TOKEN")
    assert "TOKEN, which is not set" in failure_of(at("http://127.0.0.1:1/rows", headers={"X-Key": "env:TOKEN"}))
    assert "is no address" in failure_of(at("http://[", paging="none"))
    assert "is no address" in failure_of(at("rows of the shop", paging="none"))


def test_too_large_an_answer_and_too_many_rows_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(lambda asking: asking.answer(ROWS)) as (url, _):
        assert "more than 3 rows" in failure_of(at(url, paging="none", rows_max=3))
        monkeypatch.setattr(rest, "_BYTES_MAX", 100)
        assert "answers with more than 100 bytes" in failure_of(at(url, paging="none"))
        monkeypatch.setattr(answering, "PAGE_BYTES_MAX", 50)
        assert "one answer has more than 50 bytes" in failure_of(at(url, paging="none"))


def test_pages_beyond_the_last_may_be_missing() -> None:
    def answer(asking: Asking) -> None:
        if asking.parameters["page"] == "2":
            asking.answer({"error": "no such page"}, 404)
        else:
            asking.answer(ROWS)

    with serving(answer) as (url, _):
        assert len(rows_of(at(url, paging="page"))) == 7
