"""How a rule refuses an action: with a code that messages.py turns into text."""


class Refusal(Exception):
    """The action was refused and nothing has changed; `code` is a key of messages.REFUSALS, `values` fill its text."""

    def __init__(self, code: str, **values: object) -> None:
        super().__init__(code)
        self.code = code
        self.values = values
