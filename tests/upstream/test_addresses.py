"""Where a user's URL may not lead, one row per way in that somebody has used."""

import pytest

from allgate.upstream.addresses import networks, why_refused

REFUSED = {
    "0.0.0.0": "this network",
    "10.1.2.3": "private",
    "100.64.0.1": "shared by a carrier",
    "100.100.100.200": "shared by a carrier",
    "127.0.0.1": "loopback",
    "127.255.255.254": "loopback",
    "168.63.129.16": "cloud metadata",
    "169.254.169.254": "link-local",
    "172.16.0.1": "private",
    "172.31.255.255": "private",
    "192.0.0.192": "reserved",
    "192.0.2.1": "documentation",
    "192.168.1.1": "private",
    "198.18.0.1": "benchmarking",
    "224.0.0.1": "multicast",
    "239.255.255.255": "multicast",
    "255.255.255.255": "reserved",
    "::": "unspecified",
    "::1": "loopback",
    "::ffff:127.0.0.1": "loopback",
    "::ffff:169.254.169.254": "link-local",
    "::ffff:10.0.0.1": "private",
    "::127.0.0.1": "not global unicast",
    "::ffff:0:127.0.0.1": "not global unicast",
    "64:ff9b::127.0.0.1": "NAT64",
    "64:ff9b::8.8.8.8": "NAT64",
    "64:ff9b:1::1": "NAT64",
    "2001::1": "Teredo or reserved",
    "2001:db8::1": "documentation",
    "2002:7f00:1::": "6to4",
    "2002:a00:1::1": "6to4",
    "2002:808:808::1": "6to4",
    "fc00::1": "private",
    "fd00:ec2::254": "private",
    "fe80::1": "link-local",
    "fe80::1%eth0": "link-local",
    "fec0::1": "private",
    "ff02::1": "multicast",
    "ff0e::1": "multicast",
    "4000::1": "not global unicast",
    "localhost": "not an IP address",
    "": "not an IP address",
    "2130706433": "not an IP address",
    "0x7f.1": "not an IP address",
}


@pytest.mark.parametrize("address", REFUSED)
def test_an_address_that_is_not_public_is_refused(address):
    assert why_refused(address) == REFUSED[address]


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "93.184.216.34", "172.15.255.255", "172.32.0.1", "100.63.255.255", "100.128.0.1", "223.255.255.255",
     "168.63.129.15", "2606:4700::1111", "2a00:1450:4001:81b::200e", "::ffff:8.8.8.8"],
)  # fmt: skip
def test_a_public_address_is_not(address):
    assert why_refused(address) is None


def test_what_the_operator_allows_is_allowed_and_no_more():
    allowed = networks("127.0.0.0/8", "fd00::/16")
    assert why_refused("127.0.0.1", allowed) is None
    assert why_refused("::ffff:127.0.0.1", allowed) is None
    assert why_refused("fd00::1", allowed) is None
    assert why_refused("fd01::1", allowed) == "private"
    assert why_refused("169.254.169.254", allowed) == "link-local"


def test_a_network_that_is_none_is_an_error():
    with pytest.raises(ValueError, match="host bits"):
        networks("10.0.0.1/8")
