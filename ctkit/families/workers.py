"""Processes that examine classes, one after the other. One that dies or never ends is replaced: it costs one class."""

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from queue import Empty, Queue
from threading import Thread, local
from typing import Any

from .verdict import Verdict

COMMAND = (sys.executable, "-W", "ignore", "-m", "ctkit.families.verdict")
PATIENCE = 180  # seconds that a process may take to start: it imports torch and transformers, once


class Worker:
    """A process that is given types, one at a time, and answers with a verdict for each."""

    def __init__(self, command: tuple[str, ...] = COMMAND):
        self.command = command
        self.process: Any = None

    def ask(self, kind: str, seconds: float) -> Verdict:
        """The verdict on a type. Where none comes, the process is ended, and the verdict says so."""
        if self.process is None:
            self._start()
        try:
            self.process.stdin.write(f"{kind}\n")
            self.process.stdin.flush()
            line = self.lines.get(timeout=seconds)
        except Empty:
            self.stop()
            return Verdict(kind, "", "failed", [f"not done after {seconds:g} seconds"])
        except OSError:
            line = None
        if line is None:
            code = self.process.wait()
            self.stop()
            return Verdict(kind, "", "failed", [f"its process ended with {code}"])
        return Verdict(**json.loads(line))

    def stop(self) -> None:
        """End the process."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            with suppress(BrokenPipeError):  # what it was last told may still wait to be sent
                self.process.stdin.close()
            self.process.stdout.close()
        self.process = None

    def _start(self) -> None:
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(self.command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True)
        self.lines: Queue[str | None] = Queue()
        Thread(target=_listen, args=(self.process.stdout, self.lines), daemon=True).start()
        try:
            self.lines.get(timeout=PATIENCE)  # it says when it is ready
        except Empty:
            self.stop()
            raise


def verdicts(names: Iterable[str], jobs: int, seconds: float, command: tuple[str, ...] = COMMAND) -> Iterator[Verdict]:
    """The verdicts on these types, in order, from `jobs` processes."""
    mine, started = local(), []

    def ask(kind: str) -> Verdict:
        if not hasattr(mine, "worker"):
            mine.worker = Worker(command)
            started.append(mine.worker)
        return mine.worker.ask(kind, seconds)

    try:
        with ThreadPoolExecutor(jobs) as pool:
            yield from pool.map(ask, names)
    finally:
        for worker in started:
            worker.stop()


def _listen(stream: Any, lines: "Queue[str | None]") -> None:
    """Put every line that a process says into a queue, and None when it says no more. Models print; we do not listen
    to them: verdicts are lines of JSON."""
    try:
        for line in stream:
            if line.startswith(("{", "ready")):
                lines.put(line)
    except ValueError:  # the stream was closed under us
        pass
    lines.put(None)
