"""Generated problems whose truth is known: the answer, the steps to it, and which of the steps carry it."""

from .base import Problem, Task, get, names
from .because import Because
from .code import Code
from .copy import Copy
from .crowd import Crowd
from .emphasis import Emphasis
from .hunt import Hunt
from .meaning import Meaning
from .mood import Mood
from .people import People
from .signs import Signs
from .sums import Sums
from .tags import Tags

__all__ = ["Because", "Code", "Copy", "Crowd", "Emphasis", "Hunt", "Meaning", "Mood", "People", "Problem", "Signs",
           "Sums", "Tags", "Task", "get", "names"]  # fmt: skip
