"""What was measured already: a view asks for the same thought again whenever something beside it changes."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

KEPT = 48  # results; the oldest goes first


class Memory:
    """The latest results, by what they are results of."""

    def __init__(self, kept: int = KEPT):
        self._kept = kept
        self._found: OrderedDict[Hashable, Any] = OrderedDict()

    def __len__(self) -> int:
        return len(self._found)

    def get(self, key: Hashable) -> Any:
        """The result, or None."""
        if key in self._found:
            self._found.move_to_end(key)
        return self._found.get(key)

    def put(self, key: Hashable, value: Any) -> Any:
        """Keep a result, and give it back."""
        self._found[key] = value
        self._found.move_to_end(key)
        while len(self._found) > self._kept:
            self._found.popitem(last=False)
        return value

    def once(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """The result, made now where it is not known."""
        found = self.get(key)
        return self.put(key, make()) if found is None else found
