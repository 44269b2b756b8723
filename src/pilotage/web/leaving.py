"""How a server gives up its port without resetting a connection.

Closing a listening socket resets what the kernel had accepted for it and nobody had taken out of its queue yet, and the
request on such a connection is lost. So new connections are held off first, those in the queue are taken, and only then
is the socket closed. Who was held off tries again, as TCP does after a second, and is refused: a proxy then asks
another replica. See ``SO_ATTACH_FILTER`` in socket(7).
"""

from __future__ import annotations

import ctypes
import socket
import struct
import sys

TAKING_SECONDS = 0.1
"""How long the queue is taken from, once nothing new gets into it."""
_ATTACH_FILTER = 26
_INSTRUCTIONS = (
    (0x30, 0, 0, 13),  # the byte of a TCP segment that holds its flags
    (0x45, 0, 1, 0x02),  # does it open a connection?
    (0x06, 0, 0, 0),  # then drop it
    (0x06, 0, 0, 0xFFFFFFFF),  # all else passes whole
)


def hold_off_new(listener: socket.socket) -> None:
    """Let no new connection begin; those that have begun come through. Does nothing but on Linux."""
    if sys.platform != "linux":
        return
    program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *each) for each in _INSTRUCTIONS))
    described = struct.pack("HP", len(_INSTRUCTIONS), ctypes.addressof(program))
    listener.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, described)


def refuse_new(listener: socket.socket) -> None:
    """Refuse connections from now on, in every process that holds the socket: nobody takes any more."""
    listener.shutdown(socket.SHUT_RD)
