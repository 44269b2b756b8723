"""A MariaDB server for the length of a test: its own folder, its own loopback port, gone afterwards."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.postgres import NoPostgres, _free_port

SERVER_SECONDS = 30
ROOT_PASSWORD = "p@ss:w/rd#1"
_PLACES = ("/usr/sbin", "/usr/bin", "/usr/local/bin")


class NoMariaDB(NoPostgres):
    """No MariaDB can be started here; the message says why."""


@contextmanager
def scratch_mariadb() -> Iterator[int]:
    """Starts an empty server and yields its port; user root has password ``ROOT_PASSWORD`` and may do everything."""
    server, installer = _binary("mariadbd"), _binary("mariadb-install-db")
    folder = Path(tempfile.mkdtemp(prefix="scratch-maria-"))
    user = "mysql" if os.geteuid() == 0 else ""
    if user:
        shutil.chown(folder, user)
    as_user = [f"--user={user}"] if user else []
    try:
        _install(installer, folder, as_user)
        port = _free_port()
        with (folder / "log").open("w") as log:
            process = subprocess.Popen(
                [
                    *(server, "--no-defaults", *as_user, f"--datadir={folder / 'data'}", f"--port={port}"),
                    *("--bind-address=127.0.0.1", f"--socket={folder / 'socket'}", f"--pid-file={folder / 'pid'}"),
                    *("--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=32M", "--skip-name-resolve"),
                    *("--performance-schema=OFF", f"--init-file={_first_words(folder)}"),
                ],
                stdout=log,
                stderr=log,
                cwd="/",
            )
        try:
            _await(process, port, folder / "log")
            yield port
        finally:
            process.kill()
            process.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _first_words(folder: Path) -> Path:
    path = folder / "first.sql"
    user = "root@'127.0.0.1'"
    path.write_text(
        f"CREATE OR REPLACE USER {user} IDENTIFIED BY '{ROOT_PASSWORD}';\n"
        f"GRANT ALL PRIVILEGES ON *.* TO {user} WITH GRANT OPTION;\n"
    )
    path.chmod(0o644)
    return path


def _binary(name: str) -> str:
    found = shutil.which(name) or next((f"{place}/{name}" for place in _PLACES if Path(place, name).exists()), None)
    if found is None:
        message = f"MYSQL SOURCES ARE NOT TESTED: {name} is not installed (Debian: apt-get install mariadb-server)"
        warnings.warn(message, stacklevel=2)  # pytest prints it, also without -rs
        raise NoMariaDB(message)
    return found


def _install(installer: str, folder: Path, as_user: list[str]) -> None:
    command = [installer, "--no-defaults", *as_user, f"--datadir={folder / 'data'}", "--skip-test-db"]
    command.append("--auth-root-authentication-method=normal")
    done = subprocess.run(command, capture_output=True, text=True, cwd="/", timeout=60)
    if done.returncode != 0:
        raise NoMariaDB(done.stderr.strip() or done.stdout.strip())


def _await(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    """Until the server greets: then its first words are said as well."""
    ends_at = time.monotonic() + SERVER_SECONDS
    while time.monotonic() < ends_at and process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
                if connection.recv(1):
                    return
        except OSError:
            time.sleep(0.05)
    raise NoMariaDB(log.read_text(errors="replace")[-2000:])
