"""Whose address a request comes from: the connection's, or the one that a proxy of ours names.

``X-Forwarded-For`` is believed from proxies that the settings name, and read from its end: what stands before the
last address that is none of theirs is what the caller wrote.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from pilotage.platform.errors import SettingsError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_HOST_BITS_V6 = 64
"""An IPv6 network of this size is one household's or office's: it draws its addresses from it as it likes."""


def proxies(text: str) -> tuple[Network, ...]:
    """``10.0.0.5, 10.1.0.0/16`` as networks.

    Raises:
        SettingsError: something in it is neither an address nor a network.
    """
    found = []
    for each in (part.strip() for part in text.split(",")):
        if not each:
            continue
        try:
            found.append(ipaddress.ip_network(each))
        except ValueError as error:
            raise SettingsError(
                f"PILOTAGE_TRUSTED_PROXIES must be addresses or networks with commas between them (got '{each}').",
                f"{str(error).capitalize()}. Write 10.0.0.5 or 10.1.0.0/16.",
            ) from None
    return tuple(found)


def caller_of(peer: str, forwarded: Sequence[str], trusted: Sequence[Network], is_behind_one: bool) -> str:
    """The address or, of IPv6, the network that tries are counted by; empty where it is not known.

    ``forwarded`` are the addresses of ``X-Forwarded-For`` in their order. Where a proxy stands before us and the
    settings do not name it, everybody would seem to be one: then nobody's address is known.
    """
    if not trusted:
        return "" if is_behind_one else _counted_by(peer)
    for named in (*reversed(forwarded), ""):
        address = _read(peer)
        if address is None:
            return ""
        if not any(address in network for network in trusted):
            return _counted_by(peer)
        peer = named.strip()
    return ""


def _counted_by(text: str) -> str:
    address = _read(text)
    if address is None:
        return ""
    if address.version == 4:
        return str(address)
    return str(ipaddress.ip_network((int(address), _HOST_BITS_V6), strict=False))


def _read(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return address.ipv4_mapped or address if address.version == 6 else address
