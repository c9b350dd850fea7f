"""Generated problems whose truth is known: the answer, the steps to it, and which of the steps carry it."""

from .base import Problem, Task, get, names
from .crowd import Crowd
from .hunt import Hunt
from .mood import Mood
from .sums import Sums

__all__ = ["Crowd", "Hunt", "Mood", "Problem", "Sums", "Task", "get", "names"]
