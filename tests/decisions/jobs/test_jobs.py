"""Jobs: a file of questions, answered in the background, resumed after a crash, cancelled, fetched."""

from __future__ import annotations

import contextlib
import io
import sqlite3
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.decisions.asking import key_of
from tests.decisions.jobs.arranging import ask
from tests.decisions.test_service import FILE
from tests.living import visitor

from pilotage.data import flow as data
from pilotage.decisions import flow as deciding
from pilotage.decisions import store
from pilotage.decisions.jobs import files, flow, running
from pilotage.decisions.jobs.flow import JobWorker
from pilotage.govern.records import SYSTEM, Role
from pilotage.platform.clock import FixedClock
from pilotage.platform.errors import NotFound
from pilotage.platform.workspace import Workspace
from pilotage.usecase.flow import adopt, parse_definition
from pilotage.usecase.records import Definition

pytestmark = pytest.mark.both_stores
PATH = "/v1/use-cases/small/jobs"
LINES = "application/x-ndjson"


@pytest.fixture(autouse=True)
def definition(work: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Definition:
    monkeypatch.setattr(running, "CHUNK_ROWS", 10)
    with contextlib.closing(sqlite3.connect(tmp_path / "things.db")) as database:
        database.execute("CREATE TABLE things (thing TEXT PRIMARY KEY, size REAL, at TIMESTAMP, colour TEXT)")
        database.execute("INSERT INTO things VALUES ('a', 7, '2013-12-01 10:00:00', 'red')")
        database.commit()
    monkeypatch.setenv("THINGS", f"sqlite:///{tmp_path / 'things.db'}")
    adopted = adopt(work, parse_definition(FILE, "small.yaml"), SYSTEM)
    data.sync(work, adopted)
    return adopted


def line(number: int) -> bytes:
    return b'{"thing": "t%d", "size": %d, "at": "2013-12-05T19:00:00Z"}\n' % (number, number % 10)


def lines(count: int) -> bytes:
    return b"".join(map(line, range(count)))


_KEYS: dict[str, str] = {}


def own_key(work: Workspace) -> str:
    """The key of the app that all requests of a test come from."""
    home = str(work.home)
    if home not in _KEYS:
        _KEYS[home] = key_of(work)
    return _KEYS[home]


def request(work: Workspace, method: str, path: str, key: str | None = None, **sent: Any) -> httpx.Response:
    return ask(work, key or own_key(work), method, path, **sent)


def submitted(work: Workspace, content: bytes, kind: str = LINES) -> str:
    answer = request(work, "POST", PATH, content=content, headers={"Content-Type": kind})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def work_on(work: Workspace) -> None:
    while flow.run_next(work, lambda: False):
        pass


def result(work: Workspace, job: str, kind: str = "jsonl") -> httpx.Response:
    return request(work, "GET", f"{PATH}/{job}/result?format={kind}")


def kept(work: Workspace) -> int:
    with work.database.reading() as connection:
        return store.count(connection)


def test_a_file_is_answered_row_by_row_and_fetched(work: Workspace) -> None:
    job = submitted(work, lines(25) + b'{"thing": "x"}\n' + b"no json\n" + line(27))
    assert request(work, "GET", f"{PATH}/{job}/result").status_code == 409
    work_on(work)
    state = request(work, "GET", f"{PATH}/{job}").json()
    assert (state["state"], state["rows_done"], state["rows_refused"]) == ("done", 28, 2)
    assert (state["rows_total"], state["share"]) == (28, 1.0)
    rows = [msgspec.json.decode(each) for each in result(work, job).content.splitlines()]
    assert [each["row"] for each in rows] == list(range(1, 29))
    assert [each["status"] for each in rows] == [200] * 25 + [422, 422, 200]
    assert "size: is missing" in rows[25]["problem"]
    assert rows[7]["answer"]["entity"] == "t7"
    assert rows[7]["answer"]["positive"] is True
    assert kept(work) == 26
    assert deciding.verify_recorded(work).valid
    assert [each["id"] for each in request(work, "GET", PATH).json()["jobs"]] == [job]


def test_the_result_is_a_table_too_and_no_cell_is_a_formula(work: Workspace) -> None:
    named = (b"=1+1", b"-12.5", b"@sum", b"-2+3", b"plain")
    job = submitted(work, line(1) + line(2).replace(b"t2", b"=1+1"))
    written = submitted(work, b"".join(line(2).replace(b"t2", name) for name in named))
    work_on(work)
    table = pq.read_table(io.BytesIO(result(work, job, "parquet").content))
    assert table.column("entity").to_pylist() == ["t1", "=1+1"]
    assert table.column("positive").to_pylist() == [False, False]
    text = result(work, job, "csv")
    assert text.headers["content-type"].startswith("text/csv")
    assert "'=1+1" in text.text
    cells = [each.split(",")[4] for each in result(work, written, "csv").text.splitlines()[1:]]
    assert cells == ["'=1+1", "-12.5", "'@sum", "'-2+3", "plain"]
    assert request(work, "GET", f"{PATH}/{job}/result?format=xml").status_code in (400, 422)


@pytest.mark.parametrize("kind", ["text/csv", "application/vnd.apache.parquet"])
def test_tables_are_read_as_they_are(work: Workspace, kind: str) -> None:
    columns = {"thing": ["a", "b"], "size": [7.0, 2.0], "at": ["2013-12-05T19:00:00Z"] * 2}
    content = b"thing,size,at\na,7,2013-12-05T19:00:00Z\nb,2,2013-12-05T19:00:00Z\n"
    if kind != "text/csv":
        sink = io.BytesIO()
        pq.write_table(pa.table(columns), sink)
        content = sink.getvalue()
    job = submitted(work, content, kind)
    work_on(work)
    rows = [msgspec.json.decode(each) for each in result(work, job).content.splitlines()]
    assert [(each["answer"]["entity"], each["answer"]["positive"]) for each in rows] == [("a", True), ("b", False)]


def test_a_job_whose_worker_dies_anywhere_is_resumed_and_decides_nothing_twice(
    work: Workspace, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker dies before and after each of the three things that a chunk does, 12 times in all."""
    job = submitted(work, lines(45))
    steps = 0
    for number in range(1, 13):
        dying = _Dying(number)
        with monkeypatch.context() as patched:
            patched.setattr(running.draining, "keep_decided", dying.around(running.draining.keep_decided))
            patched.setattr(running.files, "write_part", dying.around(running.files.write_part))
            patched.setattr(running.jobs, "advance", dying.around(running.jobs.advance))
            with pytest.raises(_Died):
                work_on(work)
        assert not flow.run_next(work, lambda: False)  # its lease has not ended
        clock.advance(timedelta(minutes=2))
        steps += 1
        if flow.find(work, "small", job).state == "done":
            break
    work_on(work)
    state = flow.find(work, "small", job)
    assert (state.state, state.rows_done) == ("done", 45)
    rows = [msgspec.json.decode(each) for each in result(work, job).content.splitlines()]
    assert [each["answer"]["entity"] for each in rows] == [f"t{number}" for number in range(45)]
    assert kept(work) == 45
    assert deciding.verify_recorded(work).valid
    print(f"died {steps} times")


class _Died(BaseException):
    """As if the process had gone."""


class _Dying:
    """Dies at a step, counted before and after each call."""

    def __init__(self, at: int) -> None:
        self.left = at % 6 + 1

    def around(self, call: Any) -> Any:
        def called(*given: Any) -> Any:
            self._step()
            made = call(*given)
            self._step()
            return made

        return called

    def _step(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise _Died


def test_two_workers_that_both_believe_to_hold_a_job_decide_each_row_once(work: Workspace, clock: FixedClock) -> None:
    job = submitted(work, lines(40))
    halfway, go_on = threading.Event(), threading.Event()
    looks = iter(range(100))

    def stopped() -> bool:
        if next(looks) == 2:
            halfway.set()
            go_on.wait(20)
        return False

    first = threading.Thread(target=flow.run_next, args=(work, stopped))
    first.start()
    halfway.wait(20)
    clock.advance(timedelta(minutes=2))  # the first one is asleep so long that it is taken for dead
    work_on(work)
    go_on.set()
    first.join()
    assert flow.find(work, "small", job).state == "done"
    assert kept(work) == 40
    rows = [msgspec.json.decode(each) for each in result(work, job).content.splitlines()]
    with work.database.reading() as connection:
        ledger = {each.id for each in store.find_all(connection, [row["answer"]["id"] for row in rows])}
    assert len(ledger) == 40


def test_a_cancelled_job_stops_and_keeps_what_it_decided(work: Workspace) -> None:
    job = submitted(work, lines(40))
    looks = iter(range(100))

    def cancel_at_the_third_look() -> bool:
        if next(looks) == 2:
            assert request(work, "DELETE", f"{PATH}/{job}").json()["state"] == "cancelled"
        return False

    flow.run_next(work, cancel_at_the_third_look)
    state = flow.find(work, "small", job)
    assert (state.state, state.rows_done) == ("cancelled", 20)
    assert request(work, "DELETE", f"{PATH}/{job}").status_code == 409
    assert not flow.run_next(work, lambda: False)


def test_a_worker_that_stops_puts_its_job_back(work: Workspace) -> None:
    job = submitted(work, lines(30))
    looks = iter([False, True])
    flow.run_next(work, lambda: next(looks))
    assert (flow.find(work, "small", job).state, flow.find(work, "small", job).rows_done) == ("waiting", 10)
    told = request(work, "GET", f"{PATH}/{job}").json()
    assert (told["rows_done"], told["rows_total"], round(told["share"], 2)) == (10, 30, 0.33)
    with visitor(work, Role.OWNER, "small") as person:
        assert "of 30, 33" in person.get("/use-cases/small/jobs").text
    worker = JobWorker(work, every_seconds=0.01)
    worker.start()
    for _ in range(500):
        if flow.find(work, "small", job).state == "done":
            break
        threading.Event().wait(0.02)
    worker.close(30)
    assert flow.find(work, "small", job).state == "done"
    assert kept(work) == 30


def test_a_file_that_cannot_be_read_fails_its_job_and_not_the_next(work: Workspace) -> None:
    bad = submitted(work, b"PAR1 this is none", "application/vnd.apache.parquet")
    good = submitted(work, lines(2))
    work_on(work)
    assert (flow.find(work, "small", bad).state, flow.find(work, "small", good).state) == ("failed", "done")
    assert flow.find(work, "small", bad).error


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Type": "application/json"}, 422),
        ({"Content-Type": "text/plain"}, 415),
        ({}, 415),
        ({"Content-Type": LINES, "Content-Encoding": "gzip"}, 415),
    ],
)
def test_other_files_are_refused_and_leave_nothing(work: Workspace, headers: dict[str, str], status: int) -> None:
    assert request(work, "POST", PATH, content=lines(1), headers=headers).status_code == status
    assert not (work.home / "jobs").exists()


def test_a_file_beyond_the_limit_is_refused_and_leaves_nothing(work: Workspace) -> None:
    small = Workspace(
        msgspec.structs.replace(work.settings, upload_bytes_max=1_000),
        work.clock,
        work.database,
        work.lake,
        work.signer,
    )
    assert request(small, "POST", PATH, content=lines(100), headers={"Content-Type": LINES}).status_code == 413
    assert list((work.home / "jobs").iterdir()) == []


def test_another_apps_jobs_are_unknown(work: Workspace) -> None:
    job = submitted(work, lines(1))
    stranger = key_of(work, "stranger", use_case="elsewhere")
    for method, path in (("GET", PATH), ("GET", f"{PATH}/{job}"), ("DELETE", f"{PATH}/{job}"), ("POST", PATH)):
        assert request(work, method, path, key=stranger, headers={"Content-Type": LINES}).status_code == 404
    other = f"/v1/use-cases/elsewhere/jobs/{job}"
    assert request(work, "GET", other, key=stranger).status_code == 404


def test_files_are_forgotten_after_a_week_the_job_after_a_year_and_decisions_never(
    work: Workspace, clock: FixedClock
) -> None:
    job = submitted(work, lines(3))
    app = key_of(work, "another")
    work_on(work)
    assert flow.forget_old(work) == 0
    clock.advance(timedelta(days=8))
    assert flow.forget_old(work) == 1
    assert flow.find(work, "small", job).state == "done"
    assert not files.folder_of(work, job).exists()
    assert request(work, "GET", f"{PATH}/{job}/result", key=app).status_code == 404
    clock.advance(timedelta(days=400))
    assert flow.forget_old(work) == 0
    with pytest.raises(NotFound):
        flow.find(work, "small", job)
    assert kept(work) == 3
