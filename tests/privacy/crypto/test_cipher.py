"""The cipher: what one key and label sealed, nothing else opens."""

import hashlib
import hmac
import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privacy.crypto import cipher

pytestmark = pytest.mark.claim("own_key")

KEY = bytes(range(32))
LABEL = cipher.label("owner", "purpose")
TEXTS = st.lists(st.text(st.characters(exclude_categories=["Cs"])))


class TestSealing:
    @given(data=st.binary(), parts=TEXTS)
    def test_any_bytes_come_back_under_the_same_key_and_label(self, data: bytes, parts: list[str]) -> None:
        label = cipher.label(*parts)

        assert cipher.unseal(KEY, cipher.seal(KEY, data, label=label), label=label) == data

    def test_it_adds_28_bytes_and_hides_the_data(self) -> None:
        sealed = cipher.seal(KEY, b"SE45 5000 0000 0583 9825 7466", label=LABEL)

        assert len(sealed) == 29 + 28
        assert b"5000" not in sealed

    def test_equal_data_never_look_equal(self) -> None:
        assert len({cipher.seal(KEY, b"same", label=LABEL)[:12] for _ in range(1000)}) == 1000

    def test_a_child_process_never_reuses_nonces_of_its_parent(self) -> None:
        cipher.seal(KEY, b"so that some are drawn", label=LABEL)
        here, there = os.pipe()
        child = os.fork()
        if not child:
            os.write(there, b"".join(cipher.seal(KEY, b"", label=LABEL)[:12] for _ in range(300)))
            os._exit(0)
        os.waitpid(child, 0)
        theirs = os.read(here, 12 * 300)
        ours = b"".join(cipher.seal(KEY, b"", label=LABEL)[:12] for _ in range(300))

        nonces = {each[at : at + 12] for each in (theirs, ours) for at in range(0, len(each), 12)}
        assert len(nonces) == 600

    def test_threads_never_share_a_nonce(self) -> None:
        with ThreadPoolExecutor(8) as threads:
            sealed = threads.map(lambda _: cipher.seal(KEY, b"", label=LABEL), range(5000))

        assert len({each[:12] for each in sealed}) == 5000

    def test_a_flipped_bit_anywhere_is_refused(self) -> None:
        sealed = cipher.seal(KEY, b"IBAN", label=LABEL)

        for bit in range(len(sealed) * 8):
            changed = bytearray(sealed)
            changed[bit // 8] ^= 1 << bit % 8
            with pytest.raises(cipher.Unopened):
                cipher.unseal(KEY, bytes(changed), label=LABEL)

    def test_a_truncated_or_extended_one_is_refused(self) -> None:
        sealed = cipher.seal(KEY, b"IBAN", label=LABEL)

        for changed in (*(sealed[:length] for length in range(len(sealed))), sealed + b"\0", b"\0" + sealed):
            with pytest.raises(cipher.Unopened):
                cipher.unseal(KEY, changed, label=LABEL)

    def test_another_key_or_label_is_refused(self) -> None:
        sealed = cipher.seal(KEY, b"IBAN", label=LABEL)

        for key, label in ((cipher.new_key(), LABEL), (KEY, b""), (KEY, LABEL + b"\0")):
            with pytest.raises(cipher.Unopened):
                cipher.unseal(key, sealed, label=label)

    def test_the_error_reveals_nothing(self) -> None:
        with pytest.raises(cipher.Unopened) as refused:
            cipher.unseal(KEY, bytes(40), label=LABEL)

        assert str(refused.value) == ""
        assert refused.value.__suppress_context__


class TestLabels:
    @given(one=TEXTS, other=TEXTS)
    def test_two_lists_of_parts_never_share_a_label(self, one: list[str], other: list[str]) -> None:
        assert (cipher.label(*one) == cipher.label(*other)) == (one == other)

    def test_a_border_between_parts_cannot_be_moved(self) -> None:
        same_letters = [("ab", "c"), ("a", "bc"), ("abc",), ("abc", ""), ("", "abc"), ("a", "b", "c")]

        assert len({cipher.label(*parts) for parts in same_letters}) == len(same_letters)


class TestKeys:
    def test_a_derived_key_is_that_of_rfc_5869(self) -> None:
        # HKDF by its definition: extract with a salt of zeros, expand one block.
        extracted = hmac.digest(bytes(32), KEY, "sha256")

        assert cipher.derive(KEY, label=LABEL) == hmac.digest(extracted, LABEL + b"\1", "sha256")

    def test_each_use_has_a_key_of_its_own(self) -> None:
        keys = {KEY, *(cipher.derive(KEY, label=cipher.label(use)) for use in ("record", "named", "index"))}

        assert len(keys) == 4

    def test_a_fingerprint_is_half_of_the_keys_sha256(self) -> None:
        assert cipher.fingerprint(KEY) == hashlib.sha256(KEY).hexdigest()[:32]
