"""How a deed says no: with a code that sentences.py turns into words."""


class Refusal(Exception):
    """The deed was not done, nothing has changed; `code` is a key of sentences.REFUSALS, `values` fill its sentence."""

    def __init__(self, code: str, **values: object) -> None:
        super().__init__(code)
        self.code = code
        self.values = values
