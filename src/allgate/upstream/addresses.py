"""Which IP addresses a user's URL may lead to: public unicast ones, and nothing else.

Written out instead of asking `ipaddress.is_global`, whose answer changed between Python 3.11.9 and 3.11.10, which
calls some multicast global, and which does not look inside addresses that carry another one. IPv4: IANA's registry of
special-purpose addresses, plus one public address that a cloud uses for its metadata. IPv6: only 2000::/3 is global
unicast; of it, what tunnels to IPv4 (6to4, Teredo) or is for documentation is refused, so a NAT64 prefix of the
network's own is the only way left to an IPv4 address, and that one must be public for the operator's network to have
made it so.
"""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network

_V4_REFUSED = {
    "0.0.0.0/8": "this network",
    "10.0.0.0/8": "private",
    "100.64.0.0/10": "shared by a carrier",
    "127.0.0.0/8": "loopback",
    "168.63.129.16/32": "cloud metadata",
    "169.254.0.0/16": "link-local",
    "172.16.0.0/12": "private",
    "192.0.0.0/24": "reserved",
    "192.0.2.0/24": "documentation",
    "192.88.99.0/24": "6to4 relay",
    "192.168.0.0/16": "private",
    "198.18.0.0/15": "benchmarking",
    "198.51.100.0/24": "documentation",
    "203.0.113.0/24": "documentation",
    "224.0.0.0/4": "multicast",
    "240.0.0.0/4": "reserved",
}
_V6_REFUSED = {
    "::/128": "unspecified",
    "::1/128": "loopback",
    "64:ff9b::/96": "NAT64",
    "64:ff9b:1::/48": "NAT64",
    "100::/64": "discarded",
    "2001::/23": "Teredo or reserved",
    "2001:db8::/32": "documentation",
    "2002::/16": "6to4",
    "3fff::/20": "documentation",
    "fc00::/7": "private",
    "fe80::/10": "link-local",
    "fec0::/10": "private",
    "ff00::/8": "multicast",
}
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_V4 = [(IPv4Network(text), why) for text, why in _V4_REFUSED.items()]
_V6 = [(IPv6Network(text), why) for text, why in _V6_REFUSED.items()]


def why_refused(text: str, allowed: Sequence[Network] = ()) -> str | None:
    """Why we do not connect to this address for a user; None: we do. `allowed` networks are the operator's exceptions.

    >>> why_refused("169.254.169.254")
    'link-local'
    >>> why_refused("93.184.216.34")
    """
    try:
        address = ip_address(text)
    except ValueError:
        return "not an IP address"
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    if mapped is not None:
        address = mapped
    if any(address in network for network in allowed):
        return None
    if isinstance(address, IPv4Address):
        return next((why for network, why in _V4 if address in network), None)
    why = next((why for network, why in _V6 if address in network), None)
    return why or (None if address in _GLOBAL_UNICAST else "not global unicast")


def networks(*texts: str) -> tuple[Network, ...]:
    """Networks from their usual spelling, such as "10.1.0.0/16". Raises: ValueError."""
    return tuple(ip_network(text) for text in texts)
