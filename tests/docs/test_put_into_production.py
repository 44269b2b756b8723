"""The how-to that leads from SQLite on a laptop to two replicas on PostgreSQL behind a proxy: its commands are typed.

Every block is walked or left out by name. With every change it is looked at that none is forgotten; the walk itself
installs Pilotage as a reader does, which takes minutes: ``pytest tests/docs -m long``.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pysqlite3
import pytest
import sqlalchemy as sa

from pilotage.decisions import flow as deciding
from pilotage.govern.records import SYSTEM
from pilotage.platform.settings import Settings
from pilotage.platform.workspace import Workspace, open_workspace
from pilotage.releases import flow as releasing
from pilotage.releases.records import Stage
from tests.deploy.behind import free_port, needs
from tests.docs.blocks import ROOT
from tests.docs.walking import Reader, commands, shell_blocks, text_blocks
from tests.living import NAME
from tests.postgres import NoPostgres, scratch_cluster
from tests.promises.installation import BODY, installed
from tests.releases.distinguishable import version_saying
from tests.web.serving import START_SECONDS, wait_until

DOCUMENT = "how-to/put-into-production.md"
BY_FIRST, BY_SECOND = "Do it", "Leave it"
"""What each of two versions answers, the second live before the roll-back."""
SWITCH_SECONDS = 1.0 if os.environ.get("PROMISES") else 5.0
"""Beside other work, on cores that are shared, a process waits for its turn."""
CHECKPOINT_SECONDS = 90
CHANGES_MACHINE = "would change the machine that the test runs on"
NO_SYSTEMD = "no systemd runs where tests do; tests/deploy verifies the unit, tests/web reloads and stops the server"
NO_ENGINE = "no container engine is here; tests/deploy checks the file and installs what it copies"
LEFT_OUT = {
    "useradd --system --home-dir /var/lib/pilotage --shell /usr/sbin/nologin pilotage": CHANGES_MACHINE,
    "apt-get install python3-venv": CHANGES_MACHINE,
    "cp deploy/pilotage.service /etc/systemd/system/ && systemctl daemon-reload": NO_SYSTEMD,
    "systemctl enable --now pilotage": NO_SYSTEMD,
    "journalctl --unit pilotage     # the first log-in stands there": NO_SYSTEMD,
    "systemctl reload pilotage      # SIGHUP": NO_SYSTEMD,
    "podman build -f deploy/Containerfile -t pilotage .": NO_ENGINE,
    "apt-get install nginx": CHANGES_MACHINE,
    "apt-get install haproxy": CHANGES_MACHINE,
    "systemctl restart pilotage": NO_SYSTEMD + "; the walk stops the first replica and starts it again",
}
TAKEN_ALONG = ("deploy", "src", "docs/glossary.md", "pyproject.toml", "constraints.txt", "README.md", "LICENSE")


class Machine:
    """Where the reader walks: ports and folders of this test in place of those that the document names."""

    def __init__(self, folder: Path, database: str) -> None:
        self.folder = folder
        self.database = sa.make_url(database)
        self.first, self.one, self.two, self.tls, self.plain = (free_port() for _ in range(5))
        self.home = folder / "var" / "lib" / "pilotage"
        for each in TAKEN_ALONG:
            taken = folder / each
            taken.parent.mkdir(parents=True, exist_ok=True)
            copy: Callable[[Path, Path], object] = shutil.copytree if (ROOT / each).is_dir() else shutil.copy
            copy(ROOT / each, taken)
        for each in ("var/lib", "opt", "etc/nginx/conf.d"):
            (folder / each).mkdir(parents=True)
        (folder / "etc" / "nginx" / "nginx.conf").write_text(self._nginx())
        for file, changes in self._proxy_files().items():
            text = (folder / "deploy" / file).read_text()
            for old, new in changes.items():
                assert old in text, f"{file} has no {old!r} any more"
                text = text.replace(old, new)
            (folder / "deploy" / file).write_text(text)

    @property
    def instead(self) -> dict[str, str]:
        """What is typed otherwise here, and by what; each must be found somewhere."""
        nginx = f"nginx -p {self.folder}/etc/nginx -c {self.folder}/etc/nginx/nginx.conf"
        return {
            r"^(pilotage serve(?: --workers 2)?) *(?:#.*)?$": rf"\1 --port {self.first} &",
            r"^/usr/bin/python3 -m venv": f"{sys.executable} -m venv",
            r"(?<![\w./])/(var|opt|etc)/": rf"{self.folder}/\1/",
            r"setpriv --reuid pilotage --regid pilotage --init-groups ": "",
            r"^createuser --pwprompt": "createuser",
            r":…@database\.internal/": f"@127.0.0.1:{self.database.port}/",
            r"--port 8701": f"--port {self.one}",
            r"--port 8702": f"--port {self.two}",
            r"http://127\.0\.0\.1:8700/": f"http://127.0.0.1:{self.one}/",
            r"pilotage\.example:443:": f"pilotage.example:{self.tls}:",
            r"https://pilotage\.example/": f"https://pilotage.example:{self.tls}/",
            r"^nginx -t && nginx(?= )": f"{nginx} -t && {nginx}",
            r"&& haproxy -f": f"&& haproxy -D -p {self.folder}/haproxy.pid -f",
            r"(?<=\$PILOTAGE_HOME/pilotage\.db)(?= backup/)": ".moved",
        }

    @property
    def environment(self) -> dict[str, str]:
        """Of the reader's shell: Pilotage is found where a contributor has it until it is installed."""
        path = (f"{self.folder}/opt/pilotage/bin", str(Path(sys.executable).parent), os.environ["PATH"], "/usr/sbin")
        user, port = str(self.database.username), str(self.database.port)
        tables = f"sqlite:///{self.home.parent / 'tables.db'}"
        shell = {"PATH": ":".join(path), "HOME": str(self.folder), "THINGS": tables, "SIGHTINGS": tables}
        return {**shell, "PGHOST": "127.0.0.1", "PGPORT": port, "PGUSER": user}

    def work(self, database_url: str = "") -> closing[Workspace]:
        """The installation, as the walk left it."""
        return closing(open_workspace(Settings(home=self.home, database_url=database_url)))

    @property
    def new_database(self) -> str:
        return f"postgresql+psycopg://pilotage@127.0.0.1:{self.database.port}/pilotage"

    def _proxy_files(self) -> dict[str, dict[str, str]]:
        ours = {"127.0.0.1:8701": f"127.0.0.1:{self.one}", "127.0.0.1:8702": f"127.0.0.1:{self.two}"}
        ours["/etc/pilotage/tls/"] = f"{self.folder}/etc/pilotage/tls/"
        nginx = {
            "listen 80;": f"listen 127.0.0.1:{self.plain};",
            "listen 443 ssl;": f"listen 127.0.0.1:{self.tls} ssl;",
        }
        haproxy = {"bind :80\n": f"bind 127.0.0.1:{self.plain}\n", "bind :443 ": f"bind 127.0.0.1:{self.tls} "}
        return {"nginx.conf": ours | nginx, "haproxy.cfg": ours | haproxy}

    def _nginx(self) -> str:
        kinds = "\n".join(
            f"{kind}_temp_path {self.folder}/etc/nginx/{kind};"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        user = "user root;" if os.geteuid() == 0 else ""
        return (
            f"{user} pid {self.folder}/nginx.pid; error_log {self.folder}/nginx.log; events {{}}\n"
            f"http {{ access_log off; {kinds}\ninclude {self.folder}/etc/nginx/conf.d/*.conf; }}\n"
        )


class Walk:
    """The walk through the document, a method for each block; what it asked on the way must be in the ledger."""

    def __init__(self, machine: Machine, patched: pytest.MonkeyPatch) -> None:
        self.machine = machine
        self._patched = patched
        self.reader = Reader(machine.folder, machine.environment, machine.instead, LEFT_OUT)
        self.asked: list[str] = []
        self.key = ""
        self._shown = text_blocks(DOCUMENT)

    def serves_for_oneself(self, block: str) -> None:
        self.reader.types(block)
        self._says(self.machine.first, "healthz", 200)
        assert self.reader.said().count("First start. Log in as") == 1
        self._says(self.machine.first, "readyz", 503)
        with self.machine.work() as work:
            here = installed(work, self._patched)
            releasing.release(work, here.definition, version_saying(work, here.definition, 2), SYSTEM, "second")
            releasing.set_stage(work, NAME, Stage.ASSIST, 1.0, SYSTEM, "go")
            self.key = here.key
        self._is_ready(self.machine.first)
        wait_until(lambda: self._reply(self.machine.first).status_code != 401)  # the key is a moment old
        wait_until(lambda: self._is_answered_by(BY_SECOND, self.machine.first))
        self.reader.stops()

    def serves_with_workers(self, block: str) -> None:
        self.reader.types(block)
        self._is_ready(self.machine.first)
        assert "First start" not in self.reader.said()
        (pid,) = self.reader.servers
        assert len(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()) == 2
        for _ in range(5):
            self._asks(self.machine.first)
        self.reader.stops()
        assert not [*(self.machine.home / "spool").glob("*.spool")], "who ends by himself has emptied his spool"
        command, _, said = self._shown["2.1"].partition("\n")
        assert self.reader.is_refused(command.removeprefix("$ ")).strip() == said.strip()

    def installs(self, block: str) -> None:
        self.reader.types(block)
        which = self.reader.types("/opt/pilotage/bin/python -c 'import psycopg; print(psycopg.pq.__impl__)'")
        assert which.strip() == "binary", "nothing of the system's is needed to reach PostgreSQL"
        assert (self.machine.folder / "etc/pilotage/environment").stat().st_mode & 0o777 == 0o600
        assert self.reader.types("command -v pilotage").strip().endswith("/opt/pilotage/bin/pilotage")

    def verifies(self, block: str) -> None:
        assert "fit their hashes" in self.reader.types(block)

    def is_left_out(self, block: str) -> None:
        assert set(commands(block)) <= LEFT_OUT.keys()

    def moves(self, block: str) -> None:
        said = self.reader.types(block)
        assert _shape(said) == _shape(self._shown["5.1"])
        self._all_in_ledger()

    def sets_the_old_one_aside(self, block: str) -> None:
        self.reader.types(block)
        assert [each.name for each in self.machine.home.glob("pilotage.db*")] == ["pilotage.db.moved"]
        told = (self.machine.folder / "etc/pilotage/environment").read_text()
        assert told == f"PILOTAGE_DATABASE_URL={self.machine.new_database}\n"

    def starts_two_replicas(self, block: str) -> None:
        self.reader.types(block)
        for port in (self.machine.one, self.machine.two):
            self._is_ready(port)
            assert self._is_answered_by(BY_SECOND, port)
        self._all_in_ledger()
        self._switches_on_one_and_sees_it_on_the_other()
        self._rolls_back()

    def puts_nginx_before_them(self, block: str) -> None:
        said = self._proxies("nginx", block, self.machine.folder / "nginx.pid")
        assert "warn" not in said

    def puts_haproxy_before_them(self, block: str) -> None:
        self._proxies("haproxy", block, self.machine.folder / "haproxy.pid")

    def restarts_a_replica(self, block: str) -> None:
        one, two = self.reader.servers
        start = next(each for each in shell_blocks(DOCUMENT)["6.1"].splitlines() if "--port 8701" in each)
        self.reader.stops(one)
        assert self._is_answered_by(BY_FIRST, self.machine.two)
        self.reader.types(start)
        self.reader.types(block)
        assert self._is_answered_by(BY_FIRST, self.machine.one)
        assert two in self.reader.servers

    def backs_up(self, block: str) -> None:
        wait_until(lambda: any((self.machine.home / "anchors").glob("*")), CHECKPOINT_SECONDS)
        wait_until(self._has_no_tail, CHECKPOINT_SECONDS)
        self._all_in_ledger()
        self.reader.types(block)
        assert (self.machine.folder / "backup/pilotage.dump").stat().st_size > 0
        assert (self.machine.folder / "elsewhere/keys/signing.pem").stat().st_mode & 0o777 == 0o600

    def backs_up_sqlite(self, block: str) -> None:
        self.reader.types(block)
        kept = pysqlite3.connect(self.machine.folder / "backup/pilotage.db")
        assert kept.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert kept.execute("SELECT count(*) FROM decisions").fetchone()[0] > 0
        kept.close()

    def restores(self, block: str) -> None:
        self.reader.stops()
        shutil.rmtree(self.machine.home)
        self.reader.types("dropdb pilotage")
        said = self.reader.types(block)
        assert _shape(said) == _shape(self._shown["10.1"])
        self._all_in_ledger()
        self.reader.types(f"pilotage serve --port {self.machine.one} &")
        self._is_ready(self.machine.one)
        assert self._is_answered_by(BY_FIRST, self.machine.one)

    def _asks(self, port: int) -> dict[str, Any]:
        reply = self._reply(port)
        assert reply.status_code == 200, reply.text
        answer: dict[str, Any] = reply.json()
        return answer

    def _reply(self, port: int) -> httpx.Response:
        address = f"http://127.0.0.1:{port}/v1/use-cases/{NAME}/decisions"
        reply = httpx.post(address, json=BODY, headers={"Authorization": f"Bearer {self.key}"}, timeout=30)
        if reply.status_code == 200:
            self.asked.append(reply.json()["id"])
        return reply

    def _is_answered_by(self, wanted: str, *ports: int) -> bool:
        said = [self._asks(port) for port in ports]
        return {(each["action"], each["reason"]) for each in said} == {(wanted, "model")}

    def _is_ready(self, port: int) -> None:
        self._says(port, "readyz", 200)

    def _says(self, port: int, page: str, code: int) -> None:
        def says() -> bool:
            assert self.reader.servers, self.reader.said()
            try:
                return httpx.get(f"http://127.0.0.1:{port}/{page}", timeout=5).status_code == code
            except httpx.HTTPError:
                return False

        wait_until(says, START_SECONDS)

    def _all_in_ledger(self) -> None:
        with self.machine.work(self.machine.new_database) as work:
            wait_until(lambda: len(deciding.find_all(work, self.asked)) == len(self.asked))

    def _has_no_tail(self) -> bool:
        return "not yet under a checkpoint" not in self.reader.types("pilotage verify")

    def _switches_on_one_and_sees_it_on_the_other(self) -> None:
        one = self.machine.folder / "var/spool/pilotage/one"
        self.reader.types(f"PILOTAGE_SPOOL={one} pilotage disable {NAME} --reason walk")
        began = time.monotonic()
        wait_until(lambda: self._asks(self.machine.two)["reason"] == "disabled")
        assert time.monotonic() - began < SWITCH_SECONDS
        self.reader.types(f"PILOTAGE_SPOOL={one} pilotage enable {NAME} --reason walk")
        wait_until(lambda: self._is_answered_by(BY_SECOND, self.machine.one, self.machine.two))

    def _rolls_back(self) -> None:
        self.reader.types(f"pilotage rollback {NAME} --reason walk")
        wait_until(lambda: self._is_answered_by(BY_FIRST, self.machine.one, self.machine.two))

    def _proxies(self, name: str, block: str, pid: Path) -> str:
        try:
            needs(name)
        except pytest.skip.Exception as reason:
            warnings.warn(str(reason), stacklevel=1)
            return ""
        host = f"pilotage.example:{self.machine.tls}"
        curl = f"curl -s --cacert etc/pilotage/tls/certificate.pem --resolve {host}:127.0.0.1"
        told = f"-H 'Authorization: Bearer {self.key}' -H 'Content-Type: application/json' -d '{json.dumps(BODY)}'"
        try:
            said = self.reader.types(block)
            wait_until(lambda: '"ready":true' in self.reader.types(f"{curl} https://{host}/readyz"))
            answer = json.loads(self.reader.types(f"{curl} {told} https://{host}/v1/use-cases/{NAME}/decisions"))
            self.asked.append(answer["id"])
        finally:
            if pid.exists():
                os.kill(int(pid.read_text()), signal.SIGTERM)
        return said


STEPS: dict[str, Callable[[Walk, str], None]] = {
    "1.1": Walk.serves_for_oneself,
    "2.1": Walk.serves_with_workers,
    "3.1": Walk.installs,
    "3.2": Walk.verifies,
    "4.1": Walk.is_left_out,
    "5.1": Walk.moves,
    "5.2": Walk.sets_the_old_one_aside,
    "6.1": Walk.starts_two_replicas,
    "7.1": Walk.puts_nginx_before_them,
    "7.2": Walk.puts_haproxy_before_them,
    "8.1": Walk.restarts_a_replica,
    "10.1": Walk.backs_up,
    "10.2": Walk.backs_up_sqlite,
    "10.3": Walk.restores,
}


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    try:
        with scratch_cluster() as url:
            yield Machine(tmp_path, url)
    except NoPostgres as reason:
        pytest.skip(f"NOT TESTED: {DOCUMENT} ({reason})")


def test_every_block_is_walked_and_what_is_left_out_stands_there() -> None:
    blocks = shell_blocks(DOCUMENT)
    assert list(blocks) == list(STEPS)
    typed = [line for block in blocks.values() for line in commands(block)]
    assert set(LEFT_OUT) <= set(typed)


def test_every_block_is_shell() -> None:
    for place, block in shell_blocks(DOCUMENT).items():
        read = subprocess.run(["bash", "-n"], input=block, capture_output=True, text=True, check=False)
        assert (read.returncode, read.stderr) == (0, ""), place


def test_whatever_is_typed_otherwise_here_is_found_in_the_document(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "postgresql://postgres@127.0.0.1:5432/postgres")
    reader = Reader(tmp_path, machine.environment, machine.instead, LEFT_OUT)
    for block in shell_blocks(DOCUMENT).values():
        for line in commands(block):
            reader.here(line)
    assert reader.unused == set()


@pytest.mark.long
@pytest.mark.postgres
def test_a_reader_gets_from_a_laptop_to_two_replicas_and_restores_his_backup(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("curl", "rsync", "openssl", "pg_dump", "createdb"):
        needs(name)
    walk = Walk(machine, monkeypatch)
    try:
        for place, block in shell_blocks(DOCUMENT).items():
            began = time.monotonic()
            STEPS[place](walk, block)
            with capsys.disabled():
                print(f"\n{DOCUMENT}, block {place}: {STEPS[place].__name__}, {time.monotonic() - began:.1f} s", end="")
    finally:
        walk.reader.leaves()


def _shape(said: str) -> str:
    """What was printed without its figures and hashes."""
    said = re.sub(r"checkpoints?(?:; the newest .* not yet under a checkpoint)?\.(?= Entries)", "checkpoints.", said)
    said = re.sub(r"root: \S+", "root: ROOT.", said)
    return re.sub(r"\d[\d,]*", "N", said).strip()
