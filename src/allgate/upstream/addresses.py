"""Which IP addresses a user's URL may lead to: public unicast ones, and nothing else.

Written out instead of asking `ipaddress.is_global`: its answer changed between releases of Python, it calls some
multicast global, and it does not look into addresses that carry another one. IPv4 is IANA's registry of
special-purpose addresses and one public address at which a cloud serves metadata. Of IPv6 only 2000::/3 is global
unicast; what tunnels to IPv4 (6to4, Teredo, NAT64) is refused whole, also where the address inside is public: no
server that matters is reached that way.

Known wart: a network may translate a prefix of its own into IPv4 addresses. If that prefix is global unicast, only its
operator knows, and only a firewall helps.
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
