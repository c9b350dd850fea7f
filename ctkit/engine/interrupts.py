"""Stopping in the middle: an interrupt (Ctrl-C, a notebook's stop button) is held back until a model can be left as it
was found, and work on another thread ends before its next block where nobody wants it any more."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_unwanted = threading.local()  # .now: asked before every block of this thread's passes


class Stopped(BaseException):
    """Work was given up because its result is not wanted any more. No `Exception`: nothing on the way may keep it."""


@contextmanager
def stopped_when(unwanted: Callable[[], bool]) -> Iterator[None]:
    """While this lasts, `Stopped` is raised on this thread before a model's next block once `unwanted()` is true."""
    before = getattr(_unwanted, "now", None)
    _unwanted.now = unwanted
    try:
        yield
    finally:
        _unwanted.now = before


def may_be_stopped() -> bool:
    """Whether somebody may stop wanting this thread's work."""
    return getattr(_unwanted, "now", None) is not None


def stop_if_unwanted() -> None:
    """Raise `Stopped` where this thread's work is not wanted any more."""
    if may_be_stopped() and _unwanted.now():
        raise Stopped


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
