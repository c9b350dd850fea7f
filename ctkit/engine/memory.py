"""Results that need not be worked out twice."""

import threading
from collections.abc import Callable
from typing import Any


class Memory:
    """What need not be worked out twice: the newest few results of each kind, by name and what they were made of. The
    first part of a key is its kind, so that many results of one push out none of another."""

    def __init__(self, most: int = 64):
        self.most, self.kept, self.lock = most, {}, threading.Lock()

    def recall(self, key: Any, make: Callable[[], Any]) -> Any:
        """The result for a key, made where it is new. Keys that have no hash are not remembered."""
        try:
            with self.lock:
                kin = self.kept.setdefault(key[0], {})
                found = kin.pop(key, None)
                if found is not None:
                    kin[key] = found  # the newest is last
                    return found
        except TypeError:
            return make()
        found = make()
        with self.lock:
            kin[key] = found
            if len(kin) > self.most:
                del kin[next(iter(kin))]
        return found
