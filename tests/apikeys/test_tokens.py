"""The text of a key: its form, what a typing error does to it, and what is stored of it."""

import re
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apikeys import tokens

pytestmark = pytest.mark.claim("hashed_keys")

CHARACTERS = st.characters(codec="utf-8")


class TestKeyFormat:
    @pytest.mark.parametrize(("is_test", "kind"), [(False, "live"), (True, "test")])
    def test_a_key_is_what_the_pattern_says_and_is_read_again(self, is_test: bool, kind: str) -> None:
        token = tokens.mint(is_test=is_test)

        assert re.fullmatch(tokens.PATTERN, token.text)
        assert token.text.startswith(f"ibanse_{kind}_{token.identifier}_")
        assert len(token.text) == 72
        assert tokens.split(token.text) == token

    def test_the_checksum_is_the_crc_of_all_before_it(self) -> None:
        text = tokens.mint(is_test=False).text
        number = 0
        for character in text[-6:]:
            number = number * 62 + tokens.ALPHABET.index(character)

        assert number == zlib.crc32(text[:-6].encode())

    def test_no_two_keys_are_alike(self) -> None:
        made = [tokens.mint(is_test=False) for _ in range(500)]

        assert len({token.identifier for token in made}) == 500
        assert len({token.text[23:] for token in made}) == 500

    def test_the_secret_uses_the_whole_alphabet(self) -> None:
        secrets = "".join(tokens.mint(is_test=False).text[24:66] for _ in range(200))

        assert set(secrets) == set(tokens.ALPHABET)


class TestTypingErrors:
    @given(st.integers(0, 71), CHARACTERS)
    def test_a_changed_character_is_noticed(self, place: int, character: str) -> None:
        text = tokens.mint(is_test=False).text
        changed = text[:place] + character + text[place + 1 :]
        if changed != text:
            with pytest.raises(tokens.Malformed):
                tokens.split(changed)

    @given(st.integers(0, 70))
    def test_two_characters_that_changed_places_are_noticed(self, place: int) -> None:
        text = tokens.mint(is_test=True).text
        swapped = text[:place] + text[place + 1] + text[place] + text[place + 2 :]
        if swapped != text:
            with pytest.raises(tokens.Malformed):
                tokens.split(swapped)

    @given(st.text(max_size=100))
    def test_any_other_text_is_no_key(self, text: str) -> None:
        with pytest.raises(tokens.Malformed):
            tokens.split(text)

    def test_blanks_cases_and_foreign_digits_are_not_forgiven(self) -> None:
        text = tokens.mint(is_test=False).text
        for wrong in (
            *(f" {text}", f"{text} ", f"{text}\n", f"{text}\x00", text[:-1], f"{text}0", text.upper(), f"{text}{text}"),
            *(text.replace("live", "test"), text.replace("_", "-"), text.replace("i", "ı"), ""),
        ):
            with pytest.raises(tokens.Malformed):
                tokens.split(wrong)


class TestDigest:
    PEPPER = bytes(range(32))

    def test_only_the_key_itself_under_its_own_pepper_fits(self) -> None:
        text = tokens.mint(is_test=False).text
        stored = tokens.digest(text, self.PEPPER)

        assert tokens.fits(text, self.PEPPER, stored)
        assert not tokens.fits(tokens.mint(is_test=False).text, self.PEPPER, stored)
        assert not tokens.fits(text, bytes(32), stored)
        assert not tokens.fits(text, self.PEPPER, stored[:-1])
        assert not tokens.fits(text, self.PEPPER, b"")

    def test_the_digest_is_the_same_for_ever(self) -> None:
        """A change of it would end every key there is."""
        text = "ibanse_live_0123456789_" + "A" * 43 + "000000"

        assert tokens.digest(text, self.PEPPER).hex() == (
            "4467fa377802e2c5487f839e9ac23cfaf7a609ebe37ac038e74045f6e9fbe607"
        )
