"""One thread that computes for a widget: the latest request wins, older ones are dropped."""

import atexit
import sys
import threading
import weakref
from collections.abc import Callable

PATIENCE = 10.0  # seconds that the end of the program waits for a running job: torch must not be cut off in the middle
_workers: "weakref.WeakSet[Worker]" = weakref.WeakSet()


class Worker:
    """Runs one job at a time on a thread of its own. A job is told, by `stale()`, when a newer one is waiting."""

    def __init__(self, name: str = "ctkit"):
        self._name = name
        self._condition = threading.Condition()
        self._waiting: Callable[[Callable[[], bool]], None] | None = None
        self._busy = False
        self._thread: threading.Thread | None = None
        self._closing = False
        _workers.add(self)

    def submit(self, job: Callable[[Callable[[], bool]], None]) -> None:
        """Do `job(stale)` next, in place of any job that is waiting."""
        with self._condition:
            self._waiting = job
            if self._thread is None:
                self._thread = threading.Thread(target=self._loop, name=self._name, daemon=True)
                self._thread.start()
            self._condition.notify_all()

    def offer(self, job: Callable[[Callable[[], bool]], None]) -> None:
        """Do a job that nobody waits for: only where nothing else is to be done, else it is dropped."""
        with self._condition:
            if not self._busy and self._waiting is None:
                self.submit(job)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until nothing runs and nothing waits; False where `timeout` seconds were not enough."""
        with self._condition:
            return self._condition.wait_for(lambda: self._waiting is None and not self._busy, timeout)

    def rest(self, seconds: float) -> None:
        """Called by a job: leave the machine alone for so long, or until something newer is waiting."""
        with self._condition:
            self._condition.wait_for(self._stale, seconds)

    def close(self, timeout: float = PATIENCE) -> None:
        """Tell the running job to end, drop what waits, and let the thread go."""
        with self._condition:
            self._closing, self._waiting = True, None
            self._condition.notify_all()
        if self._thread is not None:
            self._thread.join(timeout)

    def _stale(self) -> bool:
        return self._closing or self._waiting is not None

    def _loop(self) -> None:
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._closing or self._waiting is not None)
                if self._closing:
                    return
                job, self._waiting, self._busy = self._waiting, None, True
            try:
                job(self._stale)
            except BaseException:  # told to Python's own hook for threads; the next job must still be done
                threading.excepthook(threading.ExceptHookArgs((*sys.exc_info(), self._thread)))
            finally:
                with self._condition:
                    self._busy = False
                    self._condition.notify_all()


@atexit.register
def _close_all() -> None:
    for worker in list(_workers):
        worker.close()
