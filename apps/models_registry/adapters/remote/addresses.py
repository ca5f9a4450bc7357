"""Which addresses may be called: none inside this network unless settings allow it.

A name is resolved here, every address it has is checked, and the connection is made to
a checked address, so that a name that answers differently the second time leads nowhere
(SSRF, DNS rebinding). Plain http is for allowed networks alone.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence

from apps.models_registry.adapters.remote.failures import AddressRefused, EndpointFailed

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
# IPv6 ranges that carry an IPv4 address inside, which may be a private one.
_CARRYING = tuple(
    ipaddress.ip_network(text)
    for text in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16")
)


def is_allowed(address: Address, allowed: Sequence[Network], *, is_plain: bool) -> bool:
    """Whether to connect; ``is_plain`` means http without TLS."""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if any(address in network for network in allowed):
        return True
    if is_plain or address.is_multicast or not address.is_global:
        return False
    return not any(address in network for network in _CARRYING)


def checked_address(
    host: str, port: int, allowed: Sequence[Network], *, is_plain: bool
) -> str:
    """An address of the host to connect to.

    Raises AddressRefused when any of its addresses may not be called, EndpointFailed
    when it has none.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise EndpointFailed("name_not_resolved") from error
    # A scope (fe80::1%eth0) is no part of the address.
    texts = [str(entry[4][0]).partition("%")[0] for entry in found]
    for text in texts:
        if not is_allowed(ipaddress.ip_address(text), allowed, is_plain=is_plain):
            raise AddressRefused("address_not_allowed")
    return texts[0]
