"""The one error a user of ctkit meets: what was asked, what was found, what to try."""


class CtkitError(Exception):
    """A request that ctkit cannot or will not carry out, said in three parts.

    `asked` is what the user wanted, `found` what stood in the way (with the values), `remedy` what to do now.
    ctkit raises it for every mistake a user can make; anything else that escapes is a defect of ctkit.

    >>> raise CtkitError("layer 9", "a model of 4 layers", "a layer from 0 to 3")
    Traceback (most recent call last):
    ...
    ctkit.errors.CtkitError: asked for layer 9
      found: a model of 4 layers
      try:   a layer from 0 to 3
    """

    def __init__(self, asked: str, found: str, remedy: str):
        self.asked, self.found, self.remedy = asked, found, remedy
        super().__init__(f"asked for {asked}\n  found: {found}\n  try:   {remedy}")

    def __reduce__(self):
        return type(self), (self.asked, self.found, self.remedy)


def shown(value: object, limit: int = 60) -> str:
    """A value as an error message shows it: its `repr`, cut to `limit` characters."""
    text = repr(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"
