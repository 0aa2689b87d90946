"""EMAIL_URL: what it may say, and that nothing else is believed."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from ibanse.config import mail_url


class TestMailUrl:
    def test_each_kind_is_understood(self) -> None:
        smtp = mail_url.parse("smtp+tls://me%40example.com:p%2Fw%3F@mail.example:2525")

        assert (smtp.host, smtp.port, smtp.user, smtp.password) == ("mail.example", 2525, "me@example.com", "p/w?")
        assert (smtp.starttls, smtp.tls) == (True, False)
        assert mail_url.parse("smtp+ssl://mail.example").port == 465
        assert mail_url.parse("smtp+ssl://mail.example").tls
        assert mail_url.parse("smtp://[::1]").host == "::1"
        assert mail_url.parse("console:").backend.endswith("console.EmailBackend")
        assert mail_url.parse("file:///var/mail%20out").folder == "/var/mail out"

    @pytest.mark.parametrize(
        "url",
        [
            "mail.example", "smtp://", "http://mail.example", "smtp+tls:mail.example", "file://folder", "file:folder",
            "smtp://mail.example:none", "smtp://mail.example:99999", "smtp+tls://mail.example/?ssl=no", "console://x",
        ],
    )  # fmt: skip
    def test_anything_else_is_refused_with_the_forms_there_are(self, url: str) -> None:
        with pytest.raises(ImproperlyConfigured, match="EMAIL_URL must be"):
            mail_url.parse(url)

    def test_the_password_is_not_repeated(self) -> None:
        with pytest.raises(ImproperlyConfigured) as caught:
            mail_url.parse("ftp://me:hush@mail.example")

        assert "hush" not in str(caught.value)
