"""Boxes: only the private key they were created for opens them, and keys are parsed strictly."""

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy.crypto import sealed_box
from privacy.crypto.sealed_box import KeyTextError, PrivateKey, PublicKey, UnopenedBox

pytestmark = pytest.mark.claim("sealed_log")

SCHEMES = sorted(sealed_box.SCHEMES)
KEYS = {scheme: PrivateKey.make(1, scheme) for scheme in SCHEMES}
X25519 = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="


@pytest.mark.parametrize("scheme", SCHEMES)
class TestBoxes:
    @settings(max_examples=20)
    @given(data=st.binary(max_size=200), label=st.binary(max_size=40))
    def test_a_box_opens_with_its_key_and_label(self, scheme: str, data: bytes, label: bytes) -> None:
        public = PublicKey.parse(str(KEYS[scheme].public))
        private = PrivateKey.parse(KEYS[scheme].text)

        assert private.unseal(public.seal(data, label=label), label=label) == data

    def test_it_opens_with_no_other_key_label_or_scheme(self, scheme: str) -> None:
        box = KEYS[scheme].public.seal(b"data", label=b"label")
        for other in SCHEMES:
            with pytest.raises(UnopenedBox):
                PrivateKey.make(1, other).unseal(box, label=b"label")
        with pytest.raises(UnopenedBox):
            KEYS[scheme].unseal(box, label=b"another")

    @settings(max_examples=50)
    @given(data=st.data())
    def test_an_altered_or_truncated_box_does_not_open(self, scheme: str, data: st.DataObject) -> None:
        box = KEYS[scheme].public.seal(b"data", label=b"label")
        place = data.draw(st.integers(0, len(box) - 1))
        changed = bytearray(box)
        changed[place] ^= 1 << data.draw(st.integers(0, 7))
        for odd in (bytes(changed), box[:place]):
            with pytest.raises(UnopenedBox):
                KEYS[scheme].unseal(odd, label=b"label")

    def test_equal_data_give_different_boxes(self, scheme: str) -> None:
        boxes = {KEYS[scheme].public.seal(b"data", label=b"") for _ in range(10)}

        assert len(boxes) == 10

    def test_the_repr_of_a_private_key_is_empty(self, scheme: str) -> None:
        key = KEYS[scheme]

        assert key.text.rpartition(":")[2] not in f"{key!r} {key} {key.public} {vars(key)['public']}"


class TestKeysAsText:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("", "written as a number"),
            ("1", "written as a number"),
            (f"x25519:{X25519}", "written as a number"),
            (f"0:x25519:{X25519}", "written as a number"),
            (f"-1:x25519:{X25519}", "written as a number"),
            (f"1:rsa:{X25519}", "written as a number"),
            ("1:x25519:***", "Key 1 is not base64"),
            ("1:x25519:QUJD", "Key 1 has 3 bytes; x25519 has 32"),
            (f"1:mlkem768-x25519:{X25519}", "Key 1 has 32 bytes; mlkem768-x25519 has 1216"),
            (f"1:x25519:{base64.b64encode(bytes(32)).decode()}", "Key 1 is no public key of x25519"),
            (f"1:mlkem768-x25519:{base64.b64encode(bytes([255]) * 1216).decode()}", "Key 1 is no public key"),
            (f"private:1:x25519:{X25519}", "must not be on this machine"),
            (f"1:x25519:{X25519},1:x25519:{X25519}", "twice"),
        ],
    )
    def test_an_invalid_public_key_is_refused_and_not_repeated(self, text: str, expected: str) -> None:
        with pytest.raises(KeyTextError, match=expected) as refused:
            sealed_box.public_keys(text)

        assert X25519 not in str(refused.value)

    def test_several_are_read_in_their_order(self) -> None:
        text = f"2:x25519:{X25519}, {KEYS['mlkem768-x25519'].public}"

        assert [key.number for key in sealed_box.public_keys(text)] == [2, 1]

    def test_a_public_key_is_no_private_one(self) -> None:
        with pytest.raises(KeyTextError, match="begins with `private:`"):
            PrivateKey.parse(f"1:x25519:{X25519}")
