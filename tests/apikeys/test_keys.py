"""Keys: what their owners may do with them, and what nobody may."""

from apikeys.models import ApiKey
from tests.house import HouseTest


class MakingTests(HouseTest):
    def test_a_key_is_made(self) -> None:
        text = self.alice.key(networks=["192.0.2.7/24"])
        key = ApiKey.objects.get()
        self.assertTrue(text.startswith(key.prefix))
        self.assert_recorded("keys.created", self.alice.client)
