"""Replicas of one installation, each with its own spool, behind a real proxy with the configuration of ``deploy/``."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from pilotage.platform.workspace import Workspace
from tests.web.serving import BODY, PLAIN, START_SECONDS, wait_until

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
QUESTION = "/v1/use-cases/small/decisions"


class Replica:
    """One ``pilotage serve`` with a port and a spool that stay its own over restarts."""

    def __init__(self, work: Workspace, name: str, **settings: str) -> None:
        self.port = free_port()
        self.spool = work.home.parent / f"spool-{name}"
        self.address = f"http://127.0.0.1:{self.port}"
        self._log = work.home.parent / f"{name}.log"
        given = {"PILOTAGE_HOME": str(work.home), "PILOTAGE_SPOOL": str(self.spool), **settings}
        self._environment = {**PLAIN, "PYTHONPATH": os.pathsep.join(sys.path), **given}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it is ready."""
        command = [sys.executable, "-m", "pilotage", "serve", "--port", str(self.port), "--workers", "1"]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command, env=self._environment, stdout=log, stderr=log, start_new_session=True
            )
        wait_until(self.is_ready, START_SECONDS)

    def is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.address}/readyz", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False

    def stop(self) -> None:
        """As a service manager does: SIGTERM, and wait."""
        assert self._process is not None
        self._process.terminate()
        assert self._process.wait(60) == 0

    def kill(self) -> None:
        """As a power cut does."""
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


class Certificate:
    """A certificate of one's own for localhost, and a context that believes it."""

    def __init__(self, folder: Path) -> None:
        openssl = shutil.which("openssl")
        if openssl is None:
            pytest.skip("NOT TESTED: openssl is not here to make a certificate")
        self.certificate, self.key, self.both = (folder / name for name in ("certificate.pem", "key.pem", "both.pem"))
        said = ("-days", "2", "-nodes", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
        made = ("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", *said)
        subprocess.run([openssl, *made, "-keyout", self.key, "-out", self.certificate], check=True, capture_output=True)
        self.both.write_bytes(self.certificate.read_bytes() + self.key.read_bytes())
        self.context = ssl.create_default_context(cafile=str(self.certificate))


def nginx_command(folder: Path, certificate: Certificate, replicas: list[int], plain: int, tls: int) -> list[str]:
    """Our file with this test's ports, in the smallest configuration that includes it."""
    ours = _with_ports((DEPLOY / "nginx.conf").read_text(), replicas)
    for old, new in (
        ("listen 80;", f"listen 127.0.0.1:{plain};"),
        ("listen 443 ssl;", f"listen 127.0.0.1:{tls} ssl;"),
        ("pilotage.example", "localhost"),
        ("/etc/pilotage/tls/certificate.pem", str(certificate.certificate)),
        ("/etc/pilotage/tls/key.pem", str(certificate.key)),
    ):
        assert old in ours
        ours = ours.replace(old, new)
    (folder / "pilotage.conf").write_text(ours)
    kinds = "\n".join(f"{kind}_temp_path {folder}/{kind};" for kind in ("proxy", "fastcgi", "uwsgi", "scgi"))
    (folder / "nginx.conf").write_text(
        f"daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log info;\n"
        f"{'user root;' if os.geteuid() == 0 else ''} worker_processes 1; events {{ worker_connections 512; }}\n"
        f"http {{ access_log {folder}/access.log; client_body_temp_path {folder}/body;\n{kinds}\n"
        f"include {folder}/pilotage.conf; }}\n"
    )
    return ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")]


def haproxy_command(folder: Path, certificate: Certificate, replicas: list[int], plain: int, tls: int) -> list[str]:
    """Our file with this test's ports."""
    ours = _with_ports((DEPLOY / "haproxy.cfg").read_text(), replicas)
    for old, new in (
        ("bind :80\n", f"bind 127.0.0.1:{plain}\n"),
        ("bind :443 ", f"bind 127.0.0.1:{tls} "),
        ("/etc/pilotage/tls/both.pem", str(certificate.both)),
    ):
        assert old in ours
        ours = ours.replace(old, new)
    (folder / "haproxy.cfg").write_text(ours)
    return ["haproxy", "-db", "-f", str(folder / "haproxy.cfg")]


PROXIES = {"nginx": nginx_command, "haproxy": haproxy_command}
CHECKS = {"nginx": ["-t"], "haproxy": ["-c"]}


@contextmanager
def proxied(name: str, folder: Path, replicas: list[int]) -> Iterator[tuple[str, ssl.SSLContext]]:
    """The proxy before these ports: its https address, and the context that believes its certificate."""
    folder.mkdir()
    certificate, tls = Certificate(folder), free_port()
    command = [needs(name), *PROXIES[name](folder, certificate, replicas, free_port(), tls)[1:]]
    with (folder / "said.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        wait_until(lambda: _listens(tls))
        yield f"https://localhost:{tls}", certificate.context
    finally:
        process.terminate()
        process.wait(10)


def needs(name: str) -> str:
    """The program's path; skips in so many words where it is not installed."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        pytest.skip(f"NOT TESTED: {name} is not installed (apt-get install {name})")
    return found


class Load:
    """Apps that ask through the proxy until told to stop, on connections that they keep, and count what came."""

    def __init__(self, address: str, context: ssl.SSLContext, key: str, apps: int = 4) -> None:
        self.came: Counter[str] = Counter()
        self.ids: list[str] = []
        self._over = threading.Event()
        self._asked = (address, context, {"Authorization": f"Bearer {key}"})
        self._threads = [threading.Thread(target=self._ask) for _ in range(apps)]

    def __enter__(self) -> Load:
        for each in self._threads:
            each.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for each in self._threads:
            each.join()

    @property
    def answered(self) -> int:
        return self.came["200"]

    @property
    def failed(self) -> dict[str, int]:
        """What was no answer, and how often."""
        return {what: count for what, count in self.came.items() if what != "200"}

    def _ask(self) -> None:
        address, context, headers = self._asked
        with httpx.Client(base_url=address, headers=headers, timeout=30, verify=context) as client:
            while not self._over.wait(0.01):
                try:
                    reply = client.post(QUESTION, json=BODY)
                except httpx.HTTPError as error:
                    self.came[type(error).__name__] += 1
                    continue
                self.came[str(reply.status_code)] += 1
                if reply.status_code == 200:
                    self.ids.append(reply.json()["id"])


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _with_ports(text: str, replicas: list[int]) -> str:
    for old, new in zip((8701, 8702), replicas, strict=True):
        assert f"127.0.0.1:{old}" in text
        text = text.replace(f"127.0.0.1:{old}", f"127.0.0.1:{new}")
    return text


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
