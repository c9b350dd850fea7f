"""Holding an interrupt (Ctrl-C, a notebook's stop button) back until a model can be left as it was found."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Interrupts:
    """Lets interrupts through while the model computes, and keeps them while hooks are put in place or taken away.

    Python raises `KeyboardInterrupt` between any two steps of the main thread, also between removing one hook and the
    next. Nothing is changed in other threads: they are never interrupted.
    """

    def __init__(self):
        self._open = False
        self._kept: tuple[Any, ...] | None = None  # the arguments of an interrupt that came at a bad time
        self._before: Any = None  # who handled interrupts before

    @contextmanager
    def kept_back(self) -> Iterator[None]:
        """While this lasts, an interrupt waits for `let_through`, or for the end."""
        before = signal.getsignal(signal.SIGINT)
        if not callable(before) or threading.current_thread() is not threading.main_thread():
            yield
            return
        self._before = before
        signal.signal(signal.SIGINT, self._arrived)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)
            self._deliver()

    @contextmanager
    def let_through(self) -> Iterator[None]:
        """While this lasts, an interrupt is raised at once, as is one that waited."""
        self._deliver()
        self._open = True
        try:
            yield
        finally:
            self._open = False

    def _arrived(self, *about: Any) -> None:
        if not self._open:
            self._kept = about
            return
        self._open = False  # what now follows is cleaning up
        self._before(*about)
        self._open = True  # whoever handles interrupts here did not raise: go on

    def _deliver(self) -> None:
        if self._kept is not None:
            about, self._kept = self._kept, None
            self._before(*about)
