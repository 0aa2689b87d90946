"""Settings that visitors see: whom to write to, and where the service runs."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from ibanse.config import hosting, security_contact


class TestSecurityContact:
    @pytest.mark.parametrize(
        ("text", "meant"),
        [
            ("security@ibanse.example", ["mailto:security@ibanse.example"]),
            ("mailto:security@ibanse.example", ["mailto:security@ibanse.example"]),
            (
                "https://ibanse.example/weakness?a=1 , tel:+46-8-123456,a%b@ibanse.example",
                ["https://ibanse.example/weakness?a=1", "tel:+46-8-123456", "mailto:a%25b@ibanse.example"],
            ),
            ("", ["mailto:post@ibanse.example"]),
        ],
    )
    def test_it_becomes_an_address_of_rfc_9116(self, text: str, meant: list[str]) -> None:
        assert security_contact.parse(text, instead="Gatan 1, 111 11 Stockholm, post@ibanse.example.") == meant

    def test_without_any_address_there_is_none(self) -> None:
        assert security_contact.parse("", instead="Gatan 1, 111 11 Stockholm") == []

    @pytest.mark.parametrize(
        "text", ["our office", "http://ibanse.example", "javascript:alert(1)", "a@b\nExpires: x", "https://a b"]
    )
    def test_what_is_none_is_refused_and_named(self, text: str) -> None:
        with pytest.raises(ImproperlyConfigured, match="IBANSE_SECURITY_CONTACT"):
            security_contact.parse(text, instead="")


class TestHosting:
    def test_documents_have_a_title_and_an_address(self) -> None:
        text = "Data processing agreement https://host.example/dpa.pdf, ISO 27001 https://host.example/iso"

        assert hosting.documents(text) == [
            hosting.HostingDocument("Data processing agreement", "https://host.example/dpa.pdf"),
            hosting.HostingDocument("ISO 27001", "https://host.example/iso"),
        ]
        assert hosting.documents("") == []

    @pytest.mark.parametrize("text", ["https://host.example/dpa.pdf", "Agreement", "Agreement javascript:alert(1)"])
    def test_what_is_no_document_is_refused_and_named(self, text: str) -> None:
        with pytest.raises(ImproperlyConfigured, match="IBANSE_HOSTING_DOCUMENTS"):
            hosting.documents(text)
