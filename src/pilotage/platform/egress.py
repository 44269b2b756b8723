"""The one way out: resolves a name once, checks every address behind it, and connects to one that it checked.

No redirect is followed and no proxy of the environment is used. An address that wraps an IPv4 address (mapped,
compatible, 6to4, NAT64, Teredo) is judged by what it wraps: ``ipaddress.is_global`` alone passes 64:ff9b::a9fe:a9fe.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from pilotage.platform import tracing
from pilotage.platform.errors import PilotageError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], list[str]]
"""From a host and a port to the texts of its addresses."""

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_NAT64_LOCAL = ipaddress.ip_network("64:ff9b:1::/48")
_PROTOCOLS = ipaddress.ip_network("192.0.0.0/24")
_COMPATIBLE = ipaddress.ip_network("::/96")
_LOW_32 = 0xFFFFFFFF


class EgressRefused(PilotageError):
    """An address that this installation may not call: private, of the machine itself, or not encrypted."""

    code = "egress-refused"
    title = "This address may not be called"
    status = 403


class Unreachable(PilotageError):
    """The other side does not answer in time, breaks off, or answers more than it may."""

    code = "endpoint-unreachable"
    title = "An endpoint does not answer"
    status = 503


class Reply(msgspec.Struct, frozen=True):
    """What came back: status, headers in lower case, and the whole content."""

    status: int
    headers: dict[str, str]
    content: bytes


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host, as the system knows them."""
    return list(dict.fromkeys(str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))


def unwrapped(address: Address) -> Address:
    """The IPv4 address inside an address of IPv6 that carries one; else the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    inner = address.ipv4_mapped or address.sixtofour
    if inner is None and address.teredo is not None:
        inner = address.teredo[1]
    if inner is None and (address in _NAT64 or (address in _COMPATIBLE and int(address) > 1)):
        inner = ipaddress.IPv4Address(int(address) & _LOW_32)
    return inner or address


def is_public(address: Address) -> bool:
    """Whether an address lies in the open internet, whatever it is wrapped in."""
    inner = unwrapped(address)
    if isinstance(address, ipaddress.IPv6Address) and address in _NAT64_LOCAL:
        return False
    if isinstance(inner, ipaddress.IPv4Address) and inner in _PROTOCOLS:
        return False  # Python 3.11 takes most of it for global
    return inner.is_global and not inner.is_multicast and not inner.is_reserved


def checked_addresses(host: str, port: int, private_hosts: Iterable[str], resolving: Resolve = resolve) -> list[str]:
    """The addresses behind a host, resolved once, all of which may be called.

    Raises:
        EgressRefused: one of them may not.
        Unreachable: the name is unknown.
    """
    is_listed = _is_listed(host, port, private_hosts)
    try:
        found = [ipaddress.ip_address(text.partition("%")[0]) for text in resolving(host, port)]
    except OSError:
        raise Unreachable(f"There is no address behind {host}.", "Check the name, and the name server.") from None
    if not found:
        raise Unreachable(f"There is no address behind {host}.", "Check the name, and the name server.")
    for address in found:
        # That a host of ours turns out to be the cloud's metadata service is no accident.
        is_ours = is_listed and (not unwrapped(address).is_link_local or str(address) == host.strip("[]"))
        if not is_public(address) and not is_ours:
            raise EgressRefused(
                f"{host} lies at {address}, which is not in the open internet.",
                f"If it is a host of yours, list it: PILOTAGE_EGRESS_HOSTS={host}:{port}",
            )
    return [str(address) for address in found]


class Egress:
    """Asks one host. Connections are kept; safe for many threads at once."""

    def __init__(self, url: str, private_hosts: Iterable[str] = (), resolving: Resolve = resolve) -> None:
        """``url`` begins with https://, or for a listed host with http://.

        Raises:
            EgressRefused: it is no such address, or holds a password.
        """
        import httpcore

        self._url = url.rstrip("/")
        host, port = _place(self._url, private_hosts)
        self._backend = _backend(frozenset(private_hosts), resolving)
        self._pool = httpcore.ConnectionPool(
            ssl_context=ssl.create_default_context(), max_connections=64, network_backend=self._backend
        )
        self.host = f"{host}:{port}"

    def post(
        self,
        path: str,
        content: bytes,
        headers: Mapping[str, str],
        seconds: float,
        bytes_max: int,
        cut: bool = False,
    ) -> Reply:
        """What the host answers within so many seconds. Nothing is asked twice.

        With ``cut`` a longer answer is one of ``bytes_max``, and the rest of it is not read.

        Raises:
            EgressRefused: its name now leads where we may not go.
            Unreachable: it does not answer in time, breaks off, or answers more than ``bytes_max``.
        """
        kind = {"content-type": "application/json"}
        return self._traced("POST", path, content, {**kind, **headers}, seconds, bytes_max, cut)

    def get(self, path: str, headers: Mapping[str, str], seconds: float, bytes_max: int) -> Reply:
        """What the host holds at a path.

        Raises:
            EgressRefused: its name now leads where we may not go.
            Unreachable: it does not answer in time, breaks off, or answers more than ``bytes_max``.
        """
        return self._traced("GET", path, b"", headers, seconds, bytes_max, False)

    def _traced(self, method: str, path: str, content: bytes, headers: Mapping[str, str], *bounds: Any) -> Reply:
        with tracing.sent(method) as span:
            span.say(server__address=self.host)
            reply = self._asked(method, path, content, {**headers, **tracing.headers()}, *bounds)
            span.say(http__response__status_code=reply.status)
        return reply

    def _asked(
        self,
        method: str,
        path: str,
        content: bytes,
        headers: Mapping[str, str],
        seconds: float,
        bytes_max: int,
        cut: bool,
    ) -> Reply:
        import httpcore

        own = {"accept": "application/json", "accept-encoding": "identity"}
        sent = [(name.lower(), value) for name, value in {**own, **headers}.items()]
        until = time.monotonic() + seconds
        self._backend.deadline.until = until
        timeout = dict.fromkeys(("connect", "read", "write", "pool"), seconds)
        try:
            with self._pool.stream(
                method, self._url + path, headers=sent, content=content, extensions={"timeout": timeout}
            ) as response:
                return self._read(response, until, bytes_max, cut)
        except (httpcore.TimeoutException, TimeoutError):
            raise Unreachable(f"{self.host} did not answer within {seconds:g} s.", "Ask who runs it.") from None
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
            message = f"{self.host} cannot be reached, or broke off ({type(error).__name__})."
            raise Unreachable(message, "Check the address, and ask who runs it.") from None

    def _read(self, response: Any, until: float, bytes_max: int, cut: bool) -> Reply:
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
        content = bytearray()
        for chunk in response.iter_stream():
            content += chunk
            if len(content) > bytes_max and cut:
                del content[bytes_max:]
                break
            if len(content) > bytes_max:
                raise Unreachable(
                    f"{self.host} answers more than {bytes_max:,} bytes.", "Ask for fewer rows at a time."
                )
            if time.monotonic() > until:
                raise TimeoutError
        return Reply(int(response.status), headers, bytes(content))

    def close(self) -> None:
        """Lets go of all connections."""
        self._pool.close()


def _place(url: str, private_hosts: Iterable[str]) -> tuple[str, int]:
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        port = 0
    if parts.scheme not in ("http", "https") or not host or not port or parts.query or parts.fragment:
        raise EgressRefused("This is no address that can be called.", "Write https://host/path, without ? and #.")
    if parts.username is not None or parts.password is not None:
        raise EgressRefused(f"The address of {host} holds a user or password.", "Send them as a header: env:NAME.")
    if parts.scheme == "http" and not _is_listed(host, port, private_hosts):
        raise EgressRefused(
            f"{host} would be asked without encryption.",
            f"Use https://; for a host of yours inside your network list it: PILOTAGE_EGRESS_HOSTS={host}:{port}",
        )
    return host, port


def _is_listed(host: str, port: int, private_hosts: Iterable[str]) -> bool:
    return bool({host.lower(), f"{host.lower()}:{port}"} & set(private_hosts))


def _backend(private_hosts: frozenset[str], resolving: Resolve) -> Any:
    """A network for httpcore that only leads to checked addresses, and never lets a request outlive its deadline."""
    import httpcore

    system = httpcore.SyncBackend()
    deadline = threading.local()

    def left(timeout: float | None) -> float:
        rest: float = deadline.until - time.monotonic()
        if rest <= 0:
            raise TimeoutError
        return min(rest, timeout) if timeout is not None else rest

    class Bounded(httpcore.NetworkStream):
        """A connection whose every step ends with the request's deadline."""

        def __init__(self, inner: Any) -> None:
            self.inner = inner

        def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
            return bytes(self.inner.read(max_bytes, left(timeout)))

        def write(self, buffer: bytes, timeout: float | None = None) -> None:
            self.inner.write(buffer, left(timeout))

        def close(self) -> None:
            self.inner.close()

        def start_tls(self, context: Any, server_hostname: str | None = None, timeout: float | None = None) -> Any:
            return Bounded(self.inner.start_tls(context, server_hostname, left(timeout)))

        def get_extra_info(self, info: str) -> Any:
            return self.inner.get_extra_info(info)

    class Guarded(httpcore.NetworkBackend):
        """Connects to addresses that were checked."""

        def __init__(self) -> None:
            self.deadline = deadline

        def connect_tcp(
            self,
            host: str,
            port: int,
            timeout: float | None = None,
            local_address: str | None = None,
            socket_options: Any = None,
        ) -> Any:
            addresses = checked_addresses(host, port, private_hosts, resolving)
            for number, address in enumerate(addresses, start=1):
                try:
                    return Bounded(system.connect_tcp(address, port, left(timeout), local_address, socket_options))
                except (httpcore.ConnectError, httpcore.ConnectTimeout):
                    if number == len(addresses):
                        raise
            raise httpcore.ConnectError

        def sleep(self, seconds: float) -> None:
            system.sleep(seconds)

    return Guarded()
