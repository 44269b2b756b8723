"""The serving benchmark reads what wrk prints, what processes cost, and refuses answers that were none."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks import __main__ as benchmarks
from benchmarks import serve, serve_home, serve_load, serve_ours, serve_peers
from pilotage.usecase.flow import parse_definition

COUNTED = (
    '{"requests": 2000, "microseconds": 500000, "p50": 7100, "p99": 31000, "refused": 0, "broken": 0, "late": 0}\n'
)


def test_what_wrk_counted_is_the_last_line_that_it_prints() -> None:
    load = serve_load.Load.told("Running 1s test @ http://127.0.0.1:1/\n  1 threads and 32 connections\n" + COUNTED)
    assert (load.requests, load.per_second, load.p50, load.p99) == (2000, 4000.0, 7100, 31000)


@pytest.mark.parametrize("counted", ["refused", "broken", "late"])
def test_one_request_without_success_ends_the_benchmark(counted: str) -> None:
    with pytest.raises(serve_load.Failed, match="answered with success"):
        serve_load.Load.told(COUNTED.replace(f'"{counted}": 0', f'"{counted}": 1'))


@pytest.mark.parametrize("printed", ["", "Segmentation fault\n", "[]\n", COUNTED.replace('"requests": 2000, ', "")])
def test_it_says_what_wrk_printed_in_place_of_its_counts(printed: str) -> None:
    with pytest.raises(serve_load.Failed, match="wrk was expected"):
        serve_load.Load.told(printed)


def test_a_run_without_requests_measures_nothing() -> None:
    with pytest.raises(serve_load.Failed, match="answered with success"):
        serve_load.Load.told(COUNTED.replace("2000", "0"))


def test_the_work_of_children_and_of_those_that_ended_counts() -> None:
    busy = "import time; [None for _ in iter(lambda: time.process_time() < 0.1, False)]"
    parent = (
        f"import subprocess, sys; subprocess.run([sys.executable, '-c', {busy!r}]); "
        f"child = subprocess.Popen([sys.executable, '-c', {busy!r} + '; time.sleep(60)']); "
        "print(child.pid, flush=True); "
        "child.wait()"
    )
    with subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        try:
            assert serve_load.family_of(process.pid) == [process.pid, child]
            deadline = time.monotonic() + 30
            while serve_load.cpu_seconds(process.pid) < 0.17 and time.monotonic() < deadline:
                time.sleep(0.05)
            assert 0.17 <= serve_load.cpu_seconds(process.pid) < 5
        finally:
            os.kill(child, 9)
    assert serve_load.cpu_seconds(process.pid) == 0


@pytest.mark.skipif(shutil.which("wrk") is None or shutil.which("taskset") is None, reason="needs wrk and taskset")
def test_wrk_asks_each_body_in_turn_with_its_headers(tmp_path: Path) -> None:
    server = tmp_path / "server.py"
    server.write_text(
        "import sys\nfrom http.server import BaseHTTPRequestHandler, HTTPServer\n"
        "class Echo(BaseHTTPRequestHandler):\n"
        "    protocol_version = 'HTTP/1.1'\n"
        "    def do_GET(self): self.answered(200)\n"
        "    def do_POST(self):\n"
        "        body = self.rfile.read(int(self.headers['content-length']))\n"
        "        print(self.headers['x-key'], body.decode(), flush=True)\n"
        "        self.answered(500 if self.path == '/broken' else 200)\n"
        "    def answered(self, status):\n"
        "        self.send_response(status)\n"
        "        self.send_header('content-length', '0')\n"
        "        self.end_headers()\n"
        "    def log_message(self, *told): pass\n"
        "HTTPServer(('127.0.0.1', int(sys.argv[1])), Echo).serve_forever()\n"
    )
    bodies, log, port = tmp_path / "bodies.jsonl", tmp_path / "log", serve_load.free_port()
    bodies.write_text('{"a": 1}\n{"a": "100 %"}')
    with serve_load.running([sys.executable, str(server), str(port)], port, log, {}) as process:
        cost = serve_load.measured(process, port, serve_load.Asked("/x", bodies, {"X-Key": "k"}), 1, 1)
        assert cost.cpu_us > 0
        assert cost.per_second > 0
        with pytest.raises(serve_load.Failed, match="answered with success"):
            serve_load.measured(process, port, serve_load.Asked("/broken", bodies), 1, 1)
    asked = log.read_text().splitlines()
    assert sorted(asked[:2]) == ['k {"a": "100 %"}', 'k {"a": 1}']
    assert asked[2:4] == asked[:2]
    assert not serve_load.family_of(process)[1:]


def test_a_server_that_ends_at_once_is_shown_with_what_it_printed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "raise SystemExit('no such port')"]
    with (
        pytest.raises(serve_load.Failed, match="no such port"),
        serve_load.running(command, serve_load.free_port(), tmp_path / "log", {}),
    ):
        pass


def test_both_use_cases_have_the_same_columns_and_one_is_sent_all_of_them() -> None:
    text = serve_home._EXAMPLE.read_text()
    live = parse_definition(serve_home._live(text), "live.yaml")
    given = parse_definition(serve_home._given(text, live), "given.yaml")
    assert (live.name, given.name) == (serve_home.LIVE, serve_home.GIVEN)
    assert len(live.plan.columns) == serve_home.COLUMNS
    assert given.plan.names == live.plan.names == tuple(given.plan.request)
    assert [one.kind for one in given.plan.columns] == [one.kind for one in live.plan.columns]


def test_an_installation_is_named_after_the_code_that_made_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert serve_home._code_digest() == serve_home._code_digest()
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "one.py").write_text("1")
    monkeypatch.setattr(serve_home, "_ROOT", tmp_path)
    before = serve_home._code_digest()
    (tmp_path / "src" / "one.py").write_text("2")
    assert serve_home._code_digest() != before


def test_what_is_taken_out_of_our_server_is_there() -> None:
    for owner, method, _ in serve_ours.PARTS.values():
        assert callable(getattr(owner, method))


def test_programs_of_peers_can_be_read() -> None:
    for one in serve_peers.PEERS:
        compile(one.program, one.name, "exec")


def test_a_ratio_of_what_was_not_measured_is_null() -> None:
    found = serve.ratios({"ours": 200.0, "hello": 40.0})
    assert (found["ours_cpu_us"], found["ours_over_floor"], found["bentoml_over_ours"]) == (200.0, 5.0, None)
    names = {one.name for one in (*serve.PEERS, *serve.OURS)}
    assert {name for pair in serve.RATIOS.values() for name in pair} <= names
    assert set(serve.QUICK) <= names


def test_the_median_counts_figure_by_figure() -> None:
    assert serve.median(
        [serve_load.Cost(1, 9, 5, 5), serve_load.Cost(3, 7, 4, 9), serve_load.Cost(2, 8, 6, 7)]
    ) == serve_load.Cost(2, 8, 5, 7)


@pytest.mark.parametrize("program", ["raise SystemExit('no such port')", "print('no such port')"])
def test_a_server_of_others_that_does_not_start_is_named_in_the_table(
    program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = serve_home.Home(tmp_path, "pk_none")
    monkeypatch.setattr(serve_peers, "bodies", lambda _: (tmp_path / "plain", tmp_path / "tensors"))
    monkeypatch.setattr(serve_peers, "installed", lambda _: Path(sys.executable))
    monkeypatch.setattr(serve_peers, "command", lambda *_: ([sys.executable, "-c", program], {}))
    measuring = serve.Measuring(home, serve.SHORT)
    measuring.install(["bentoml"])
    measuring.round(1, ["bentoml"])
    measuring.round(1, ["bentoml"])
    assert measuring.left_out == {"bentoml": "it did not start: no such port"}
    lines = serve.table({("hello", serve.MAIN): serve_load.Cost(30, 9000, 1, 2)}, (serve.MAIN,), measuring.left_out)
    assert [line.split()[0] for line in lines[1:]] == ["hello", "bentoml"]
    assert lines[-1].endswith("left out  it did not start: no such port")


def test_later_rounds_repeat_what_the_ratios_are_made_of() -> None:
    assert serve.FULL.connections_of(1) == (1, 8, 32)
    assert serve.FULL.connections_of(2) == (32,)


def test_one_benchmark_alone_leaves_the_results_of_others_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(benchmarks, "RESULTS", tmp_path / "RESULTS.md")
    benchmarks.keep("signals", "old\n\n```\n## no section\n```\n")
    benchmarks.keep("serve", "first")
    benchmarks.keep("audit", "a")
    benchmarks.keep("serve", "second")
    text = benchmarks.RESULTS.read_text()
    assert [line for line in text.splitlines() if line.startswith("## ") and " no " not in line] == [
        "## audit",
        "## signals",
        "## serve",
    ]
    assert "first" not in text
    assert "second" in text
    assert "old" in text
