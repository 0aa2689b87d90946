"""Masking: what is shown of a personal field is what its rule allows, whatever the field holds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibanse.backoffice import masking
from ibanse.backoffice.masking import HIDDEN

pytestmark = pytest.mark.claim("staff_masked")

LONG = st.text(min_size=3, max_size=200)


class TestWhatIsShown:
    @pytest.mark.parametrize(
        ("mask", "text", "shown"),
        [
            (masking.email, "alice@example.com", "a•••@e•••"),
            (masking.email, "al@b.se", "•••@b•••"),
            (masking.email, "not an address", "•••"),
            (masking.name, "Alice Andersson", "A•••"),
            (masking.name, " 山田太郎 ", "山•••"),
            (masking.name, "Al", "•••"),
            (masking.phone, "+46 8 123 45 67", "•••67"),
            (masking.phone, "12345", "•••"),
            (masking.vat_number, "SE556703748501", "SE•••01"),
            (masking.vat_number, "SE1234", "•••"),
            (masking.vat_number, "556703748501", "•••01"),
            (masking.words, "Main street 1", "•••"),
        ],
    )
    def test_a_field_is_recognised_and_not_known(self, mask, text: str, shown: str) -> None:  # type: ignore[no-untyped-def]  # any of the five
        assert mask(text) == shown

    @pytest.mark.parametrize("mask", [masking.email, masking.name, masking.phone, masking.vat_number, masking.words])
    def test_what_is_empty_stays_empty(self, mask) -> None:  # type: ignore[no-untyped-def]  # as above
        assert mask("") == ""


class TestWhateverTheFieldHolds:
    @given(LONG, LONG)
    def test_an_address_shows_two_letters_at_most(self, local: str, domain: str) -> None:
        domain = domain.replace("@", "")

        shown = masking.email(f"{local}@{domain}")

        first = domain[0] if len(domain) >= 3 else ""
        assert shown == f"{local[0]}{HIDDEN}@{first}{HIDDEN}"

    @given(st.text(max_size=200))
    def test_a_name_shows_one_letter_at_most_and_hides_how_long_it_is(self, text: str) -> None:
        shown = masking.name(text)

        assert shown.removesuffix(HIDDEN) == (text.strip()[0] if len(text.strip()) >= 3 else "")

    @given(st.text(max_size=200))
    def test_a_phone_shows_two_digits_at_most_of_seven_or_more(self, text: str) -> None:
        digits = "".join(sign for sign in text if sign.isdecimal())

        assert masking.phone(text).removeprefix(HIDDEN) == (digits[-2:] if len(digits) >= 7 else "")

    @given(st.text(max_size=200))
    def test_a_vat_number_shows_four_signs_at_most_of_nine_or_more(self, text: str) -> None:
        before, _, behind = masking.vat_number(text).partition(HIDDEN)

        assert (before, behind) in (("", ""), ("", text[-2:]), (text[:2], text[-2:]))
        assert len(text) >= 9 or not before + behind

    @given(st.text(max_size=200))
    def test_words_show_nothing(self, text: str) -> None:
        assert masking.words(text) == (HIDDEN if text else "")
