"""Takes away from this process what opening a stranger's file does not need: network, other files, new programs.

Several measures, each on its own, because not every machine allows every one; the answer says which held. To be called
before any library is loaded, while the process has one thread.

Sources: landlock(7), seccomp(2), unshare(2), PEP 578.
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import struct
import sys
from collections.abc import Iterable
from pathlib import Path

from pilotage.models.brought.inside.answering import Refusal

CPU_SECONDS = 120
_FILE_BYTES = 1024**3
_OPEN_FILES = 512
_NO_NEW_PRIVILEGES, _SET_SECCOMP, _FILTER = 38, 22, 2
_NEW_USER, _NEW_NET = 0x10000000, 0x40000000
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
_RIGHTS_OF_VERSION = {1: 13, 2: 14, 3: 15, 4: 15}
"""How many rights over files a version of Landlock knows; newer ones know 16."""
_SYSTEM = (
    "/usr",
    "/lib",
    "/lib64",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/self",
    "/sys/devices",
)
_SYSTEM_DEVICES = ("/dev/urandom", "/dev/null", "/dev/zero")
_FORBIDDEN_CALLS = {
    # socket, ptrace, execve, execveat, kill, process_vm_readv, process_vm_writev, bpf, mount, setns, io_uring_setup
    "x86_64": (0xC000003E, (41, 101, 59, 322, 62, 310, 311, 321, 165, 308, 425)),
    "aarch64": (0xC00000B7, (198, 117, 221, 281, 129, 270, 271, 280, 40, 268, 425)),
}


def confine(folder: Path) -> list[str]:
    """Confines this process to its folder and says by what.

    Raises:
        Refusal: neither a network namespace nor a filter of system calls can be had here.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    held = ["limits on memory, processor time and file size"]
    _limit()
    in_namespace = libc.unshare(_NEW_USER | _NEW_NET) == 0 or libc.unshare(_NEW_NET) == 0
    if in_namespace:
        held.append("a network namespace of its own")
    if _landlocked(libc, folder):
        held.append("Landlock: it reads libraries and its own folder, and writes only there")
    is_filtered = _filtered(libc)
    if is_filtered:
        held.append("seccomp: no sockets, no new programs")
    if not (in_namespace or is_filtered):
        raise Refusal(
            "this machine allows neither a network namespace nor a filter of system calls, and without one of them no "
            "objects serialised by Python are opened.",
            "Convert the model to ONNX where it was trained, and bring that file.",
        )
    _watched(folder)
    return [*held, "an audit hook"]


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_FILE_BYTES, _FILE_BYTES))
    resource.setrlimit(resource.RLIMIT_NOFILE, (_OPEN_FILES, _OPEN_FILES))


def _landlocked(libc: ctypes.CDLL, folder: Path) -> bool:
    """Whether the kernel now keeps this process from all files but those of its libraries and its folder."""
    version = libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), 1)
    if version < 1:
        return False
    every = (1 << _RIGHTS_OF_VERSION.get(version, 16)) - 1
    rights = struct.pack("=Q", every)
    ruleset = libc.syscall(_CREATE_RULESET, rights, ctypes.c_size_t(len(rights)), 0)
    if ruleset < 0:
        return False
    readable = [*_SYSTEM, sys.prefix, sys.base_prefix, *(path for path in sys.path if path)]
    allowed = [
        *((path, _READ_FILE | _READ_DIR) for path in readable),
        *((path, _READ_FILE) for path in _SYSTEM_DEVICES),
    ]
    held = all(_allow(libc, ruleset, path, right) for path, right in [*allowed, (str(folder), every & ~1)])
    held = held and libc.syscall(_RESTRICT_SELF, ruleset, 0) == 0
    os.close(ruleset)
    return bool(held)


def _allow(libc: ctypes.CDLL, ruleset: int, path: str, rights: int) -> bool:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return True  # what does not exist need not be allowed
    if not Path(path).is_dir():
        rights &= _READ_FILE
    rule = struct.pack("=Qi", rights, place)
    added: int = libc.syscall(_ADD_RULE, ruleset, 1, rule, 0)
    os.close(place)
    return added == 0


def _filtered(libc: ctypes.CDLL) -> bool:
    """Whether the kernel now refuses the calls by which a process reaches the network or other processes."""
    if platform.machine() not in _FORBIDDEN_CALLS:
        return False
    architecture, numbers = _FORBIDDEN_CALLS[platform.machine()]
    program = _program(architecture, numbers)
    code = ctypes.create_string_buffer(program, len(program))
    filter_ = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(code))
    held: int = libc.prctl(_SET_SECCOMP, _FILTER, ctypes.c_char_p(filter_), 0, 0)
    return held == 0


def _program(architecture: int, numbers: Iterable[int]) -> bytes:
    """A filter in the kernel's classic BPF: wrong architecture, foreign call numbers and forbidden calls fail."""
    load, equal, at_least, give = 0x20, 0x15, 0x35, 0x06
    allow, refuse = 0x7FFF0000, 0x00050000 | 1  # EPERM
    listed = list(numbers)
    lines = [(load, 0, 0, 4), (equal, 1, 0, architecture), (give, 0, 0, refuse), (load, 0, 0, 0)]
    lines.append((at_least, len(listed) + 1, 0, 0x40000000))  # calls of the x32 ABI have other numbers
    lines += [(equal, len(listed) - place, 0, number) for place, number in enumerate(listed)]
    lines += [(give, 0, 0, allow), (give, 0, 0, refuse)]
    return b"".join(struct.pack("HBBI", *line) for line in lines)


def _watched(folder: Path) -> None:
    """Stops at once what Python itself is asked to do beyond reading: a clearer message than a failed call."""
    forbidden = (
        "socket.",
        "subprocess.",
        "os.exec",
        "os.fork",
        "os.posix_spawn",
        "os.system",
        "os.kill",
        "ftplib.",
        "urllib.",
    )
    changing = (
        "os.remove",
        "os.rename",
        "os.rmdir",
        "os.link",
        "os.symlink",
        "os.chmod",
        "os.chown",
        "os.truncate",
        "shutil.",
    )
    home = str(folder)

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event.startswith(forbidden) and event != "socket.gethostname":
            raise PermissionError(f"it tried {event}, which a model file has no reason for")
        if event.startswith(changing) and not str(arguments[0]).startswith(home):
            raise PermissionError(f"it tried {event} outside of its folder")
        if event == "open" and _writes(arguments) and not str(arguments[0]).startswith((home, "/dev/null")):
            raise PermissionError("it tried to write a file outside of its folder")

    sys.addaudithook(hook)


def _writes(arguments: tuple[object, ...]) -> bool:
    flags = arguments[2] if len(arguments) > 2 else 0
    is_path = isinstance(arguments[0], (str, bytes))
    return is_path and isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC))
