"""Blocked IP addresses: what may be blocked, and for how long."""

from datetime import timedelta
from unittest.mock import patch

import pytest
from django.core.management import CommandError
from django.utils import timezone

from accounts.guard import blocks, revisions
from accounts.guard.models import Block
from tests.base import BaseTest
from tests.support.commands import run_command


@pytest.mark.claim("blocked_addresses")
class IpBlockTests(BaseTest):
    def test_a_blocked_network_holds_its_addresses_and_no_others(self) -> None:
        blocks.block("192.0.2.7/24")
        blocks.block("2001:db8::/32")

        for ip_address in ("192.0.2.0", "192.0.2.255", "2001:db8::1", "2001:db8:ffff::"):
            self.assertTrue(blocks.is_blocked(ip_address), ip_address)
        for ip_address in ("192.0.3.0", "2001:db9::1", "::1", "127.0.0.1"):
            self.assertFalse(blocks.is_blocked(ip_address), ip_address)

    def test_an_address_inside_ipv6_is_blocked_as_the_ipv4_it_is(self) -> None:
        self.assertEqual(str(blocks.block("::ffff:192.0.2.7")), "192.0.2.7/32")
        self.assertEqual(str(blocks.block("::ffff:198.51.100.0/120")), "198.51.100.0/24")

        for ip_address in ("192.0.2.7", "::ffff:192.0.2.7", "198.51.100.200"):
            self.assertTrue(blocks.is_blocked(ip_address), ip_address)

    def test_nobody_and_ourselves_cannot_be_blocked(self) -> None:
        for text in (
            *(
                "0.0.0.0/0",
                "::/0",
                "::ffff:0:0/96",
                "127.0.0.1",
                "::1",
                "127.0.0.0/8",
                "0.0.0.0/1",
                "::/8",
                "126.0.0.0/7",
            ),
            *("", "office.example", "192.0.2", "192.0.2.7 192.0.2.8", "fe80::1%eth0", "010.0.0.1"),
        ):
            with self.subTest(text=text), self.assertRaises(blocks.BlockRefused):
                blocks.block(text)
        self.assertFalse(Block.objects.exists())

    def test_a_block_ends_by_itself(self) -> None:
        blocks.block("192.0.2.7", until=timezone.now() + timedelta(hours=1))
        self.assertTrue(blocks.is_blocked("192.0.2.7"))

        with patch.object(timezone, "now", return_value=timezone.now() + timedelta(hours=1)):
            self.assertFalse(blocks.is_blocked("192.0.2.7"))

    def test_blocking_again_renews_the_end(self) -> None:
        blocks.block("192.0.2.7", until=timezone.now() - timedelta(hours=1))
        self.assertFalse(blocks.is_blocked("192.0.2.7"))

        blocks.block("192.0.2.7")

        self.assertTrue(blocks.is_blocked("192.0.2.7"))
        self.assertEqual(Block.objects.count(), 1)

    def test_what_is_unblocked_is_let_in_at_once(self) -> None:
        blocks.block("192.0.2.7")
        self.assertTrue(blocks.is_blocked("192.0.2.7"))

        self.assertTrue(blocks.unblock(" 192.0.2.7 "))

        self.assertFalse(blocks.is_blocked("192.0.2.7"))
        self.assertFalse(blocks.unblock("192.0.2.7"))

    def test_asking_costs_no_query_as_long_as_nothing_changes(self) -> None:
        blocks.block("192.0.2.7")
        blocks.is_blocked("192.0.2.7")

        with self.assertNumQueries(0):
            for _ in range(100):
                blocks.is_blocked("192.0.2.7")

    def test_nobody_is_let_in_when_nobody_can_tell(self) -> None:
        with (
            patch.object(revisions, "current", side_effect=revisions.Unreadable),
            self.assertRaises(revisions.Unreadable),
        ):
            blocks.is_blocked("192.0.2.7")


class CommandTests(BaseTest):
    def test_an_address_is_blocked_and_unblocked_by_command(self) -> None:
        output = run_command("block_address", "192.0.2.7/24", reason="scanner")
        self.assertEqual(output, "192.0.2.0/24 is blocked until it is unblocked.\n")
        self.assertEqual(Block.objects.get().reason, "scanner")
        self.assertTrue(blocks.is_blocked("192.0.2.9"))

        self.assertEqual(run_command("unblock_address", "192.0.2.0/24"), "192.0.2.0/24 is not blocked any more.\n")
        self.assertFalse(blocks.is_blocked("192.0.2.9"))

    def test_a_block_can_have_an_end(self) -> None:
        self.assertIn("is blocked until 20", run_command("block_address", "192.0.2.7", hours=24))
        expires_at = Block.objects.get().expires_at
        assert expires_at
        self.assertAlmostEqual(expires_at, timezone.now() + timedelta(hours=24), delta=timedelta(minutes=1))

    def test_what_is_wrong_is_said(self) -> None:
        run_command("block_address", "192.0.2.0/24")
        for command, message in (
            (("block_address", "0.0.0.0/0"), "That would block everybody."),
            (("block_address", "127.0.0.1"), "That would block this machine itself."),
            (("block_address", "nonsense"), "This is not an IP address or network"),
            (("unblock_address", "192.0.2.7"), "Not this but 192.0.2.0/24 is blocked."),
            (("unblock_address", "198.51.100.7"), "It is not blocked."),
            (("unblock_address", "nonsense"), "This is not an IP address or network"),
        ):
            with self.subTest(command=command), self.assertRaisesMessage(CommandError, message):
                run_command(*command)
        with self.assertRaisesMessage(CommandError, "--hours"):
            run_command("block_address", "192.0.2.7", hours=0)
