"""Allow-list entries: every way in which people write addresses, and which of them are one."""

import ipaddress
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apikeys import networks
from apikeys.networks import NetworkError

pytestmark = pytest.mark.claim("bound_addresses")

ADDRESSES = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6))


def code_of(text: str) -> str:
    """Return why a text is refused."""
    with pytest.raises(NetworkError) as refused:
        networks.parse(text)
    assert not text or text not in str(refused.value)
    return refused.value.code


class TestParsing:
    @pytest.mark.parametrize(
        ("typed", "canonical"),
        [
            ("192.0.2.7", "192.0.2.7/32"),
            ("192.0.2.7/32", "192.0.2.7/32"),
            ("192.0.2.0/24", "192.0.2.0/24"),
            ("192.0.2.7/24", "192.0.2.0/24"),
            (" 192.0.2.7\t", "192.0.2.7/32"),
            ("\u00a0192.0.2.7\n", "192.0.2.7/32"),
            ("10.0.0.0/8", "10.0.0.0/8"),
            ("127.0.0.1", "127.0.0.1/32"),
            ("2001:DB8::7", "2001:db8::7/128"),
            ("2001:0db8:0000:0000:0000:0000:0000:0007", "2001:db8::7/128"),
            ("2001:db8::7/48", "2001:db8::/48"),
            ("::1", "::1/128"),
            ("fe80::1", "fe80::1/128"),
            ("::ffff:192.0.2.7", "192.0.2.7/32"),
            ("::FFFF:C000:0207/128", "192.0.2.7/32"),
            ("2002:c000:0207::1", "2002:c000:207::1/128"),
            ("64:ff9b::192.0.2.7", "64:ff9b::c000:207/128"),
        ],
    )
    def test_an_address_or_network_becomes_its_canonical_form(self, typed: str, canonical: str) -> None:
        assert str(networks.parse(typed)) == canonical

    @given(ADDRESSES, st.integers(1, 128))
    def test_what_is_accepted_is_read_again_as_the_same(
        self, address: ipaddress.IPv4Address | ipaddress.IPv6Address, prefix: int
    ) -> None:
        text = f"{address}/{min(prefix, address.max_prefixlen)}"
        try:
            network = networks.parse(text)
        except NetworkError:
            return
        assert networks.parse(str(network)) == network
        assert len(str(network)) <= 43
        assert network.prefixlen > 0

    @given(st.text(max_size=60))
    def test_any_text_is_read_or_refused_and_nothing_else_happens(self, text: str) -> None:
        with suppress(NetworkError):
            networks.parse(text)

    @given(st.text(alphabet="0123456789abcdef.:/%*-[], ", max_size=44))
    def test_almost_addresses_too(self, text: str) -> None:
        try:
            network = networks.parse(text)
        except NetworkError:
            return
        assert ipaddress.ip_network(str(network)) == network


class TestMistakes:
    @pytest.mark.parametrize(
        ("typed", "code"),
        [
            *[(text, "everything") for text in ("0.0.0.0/0", "::/0", "192.0.2.7/0", "::ffff:192.0.2.7/0")],
            *[(text, "zone") for text in ("fe80::1%eth0", "fe80::1%1/64", "192.0.2.7%lo", "%")],
            *[(text, "several") for text in ("192.0.2.7,192.0.2.8", "192.0.2.7 192.0.2.8", "192.0.2.7;::1", "a\nb")],
            *[(text, "range") for text in ("192.0.2.1-192.0.2.9", "192.0.2.1-9", "192.0.2.*", "*", "2001:db8::1-2")],
            *[(text, "port") for text in ("192.0.2.7:443", "[2001:db8::7]:443", "[2001:db8::7]")],
            *[(text, "leading_zero") for text in ("010.0.0.1", "192.0.2.007", "00.0.0.1", "192.0.2.0/024")],
            *[(text, "mapped_range") for text in ("::ffff:192.0.2.0/120", "::ffff:0:0/96", "::/1", "::fffe:0:0/95")],
            *[(text, "nobody") for text in ("0.0.0.1", "::", "224.0.0.1", "255.255.255.255", "240.0.0.0/4", "ff02::1")],
            *[
                (text, "malformed")
                for text in (
                    *("", " ", "/", "/24", "192.0.2", "192.0.2.256", "192.0.2.7/33", "2001:db8::7/129", "1.2.3.4.5"),
                    *("192.0.2.7/", "192.0.2.7/-1", "192.0.2.7/+8", "192.0.2.7/8/8", "192.0.2.7/255.255.255.0"),
                    *("office.example", "my-office.example", "localhost", "https://192.0.2.7/", "3221225991", "0x7f.1"),
                    *("١٩٢.0.2.7", "192。0。2。7", "192.0.2.7\u200b", "２.0.0.1", "2001:db8:::7", "::g", "\x00"),
                )
            ],
        ],
    )
    def test_each_mistake_has_its_reason(self, typed: str, code: str) -> None:
        assert code_of(typed) == code

    def test_a_long_hostile_text_is_refused_at_once(self) -> None:
        for text in ("*" * 5_000, "1." * 5_000, "0" * 5_000, "1:" * 5_000, "[" * 5_000):
            code_of(text)


class TestContains:
    OFFICE = (networks.parse("192.0.2.0/24"), networks.parse("2001:db8::/48"))

    @pytest.mark.parametrize("address", ["192.0.2.0", "192.0.2.255", "2001:db8::1", "2001:db8:0:ffff::"])
    def test_an_address_of_the_office_is_inside(self, address: str) -> None:
        assert networks.contains(self.OFFICE, ipaddress.ip_address(address))

    @pytest.mark.parametrize(
        "address", ["192.0.1.255", "192.0.3.0", "2001:db8:1::", "::1", "::", "::ffff:192.0.2.7", "::c000:207"]
    )
    def test_any_other_is_not(self, address: str) -> None:
        assert not networks.contains(self.OFFICE, ipaddress.ip_address(address))

    def test_an_empty_list_holds_nobody(self) -> None:
        assert not networks.contains([], ipaddress.ip_address("192.0.2.7"))

    @given(ADDRESSES)
    def test_an_address_is_inside_of_itself_alone(self, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
        try:
            own = networks.parse(str(address))
        except NetworkError:
            return
        caller = getattr(address, "ipv4_mapped", None) or address
        assert networks.contains([own], caller)
        assert own.num_addresses == 1


class TestWideNetworks:
    @pytest.mark.parametrize(
        ("network", "is_wide"),
        [
            ("10.0.0.0/8", True),
            ("10.0.0.0/15", True),
            ("10.0.0.0/16", False),
            ("192.0.2.7", False),
            ("2001:db8::/31", True),
            ("2001:db8::/32", False),
            ("2000::/3", True),
        ],
    )
    def test_a_network_is_wide_beyond_16_and_32_bits(self, network: str, is_wide: bool) -> None:
        assert networks.is_wide(networks.parse(network)) is is_wide

    @pytest.mark.parametrize("network", ["127.0.0.1", "127.0.0.0/8", "127.1.2.3", "::1", "0.0.0.0/1", "126.0.0.0/7"])
    def test_the_machine_itself_is_loopback(self, network: str) -> None:
        assert networks.is_loopback(networks.parse(network))

    @pytest.mark.parametrize("network", ["192.0.2.7", "128.0.0.0/8", "10.0.0.0/8", "::2", "fe80::1"])
    def test_nothing_else_is(self, network: str) -> None:
        assert not networks.is_loopback(networks.parse(network))
