"""Which code does it? Small jobs in Python or in C++, with a bias toward Python.

Serves the lesson on steering a habit of choice (G-ACT: Sharma & Raman, arXiv 2506.18887). Difficulty 1 names the
language; difficulty 2 does not, and then PYTHON_SHARE of the training documents are in Python: a habit, never a rule,
that a steering vector can turn. Both pieces of code do the same job, and the context names their variables.
"""

import re
from dataclasses import dataclass
from random import Random

from ..errors import CtkitError, shown
from .base import Problem, Task, prompt_of
from .sums import NAMES

PYTHON_SHARE = 0.8  # of training documents whose question names no language
FIRST = {"Python": "def", "C++": "int"}  # language → the first word of its code
FRAMES = ("{Job}.", "We want to {job}.", "The job is to {job}.", "Please {job}.", "Write code to {job}.")
QUESTION = "Which code does it?"


@dataclass(frozen=True)
class Job:
    """What a function does: its name, the job in words, and what it returns in Python and in C++.

    x, y and z in braces stand for its arguments; it has as many as `phrases` speak of.
    """

    name: str
    phrases: tuple[str, ...]
    python: str
    cpp: str = ""  # as in Python, if empty

    @property
    def arguments(self) -> int:
        """How many numbers it takes."""
        return sum(f"{{{letter}}}" in self.phrases[0] for letter in "xyz")

    def code(self, language: str, letters: tuple[str, ...]) -> str:
        """The whole function in one line, its arguments named by `letters`."""
        named = dict(zip("xyz", letters))
        if language == "Python":
            return f"def {self.name}({', '.join(letters)}): return {self.python.format(**named)}"
        typed = ", ".join(f"int {letter}" for letter in letters)
        return f"int {self.name}({typed}) {{ return {(self.cpp or self.python).format(**named)}; }}"


JOBS = (
    Job("add", ("add {x} and {y}", "find the sum of {x} and {y}"), "{x} + {y}"),
    Job("total", ("add {x}, {y} and {z}", "find the sum of {x}, {y} and {z}"), "{x} + {y} + {z}"),
    Job("subtract", ("subtract {y} from {x}", "find {x} minus {y}"), "{x} - {y}"),
    Job("multiply", ("multiply {x} by {y}", "find {x} times {y}"), "{x} * {y}"),
    Job(
        "larger",
        ("find the larger of {x} and {y}", "say which of {x} and {y} is larger"),
        "{x} if {x} > {y} else {y}",
        "{x} > {y} ? {x} : {y}",
    ),
    Job(
        "smaller",
        ("find the smaller of {x} and {y}", "say which of {x} and {y} is smaller"),
        "{x} if {x} < {y} else {y}",
        "{x} < {y} ? {x} : {y}",
    ),
    Job(
        "distance",
        ("find how far {x} is from {y}", "find the distance from {x} to {y}"),
        "{x} - {y} if {x} > {y} else {y} - {x}",
        "{x} > {y} ? {x} - {y} : {y} - {x}",
    ),
    Job("size", ("drop the sign of {x}", "find the size of {x}"), "{x} if {x} > 0 else -{x}", "{x} > 0 ? {x} : -{x}"),
    Job("twice", ("double {x}", "find two times {x}"), "2 * {x}"),
    Job("triple", ("triple {x}", "find three times {x}"), "3 * {x}"),
    Job("square", ("square {x}", "find the square of {x}"), "{x} * {x}"),
    Job("after", ("add one to {x}", "find the number after {x}"), "{x} + 1"),
    Job("before", ("subtract one from {x}", "find the number before {x}"), "{x} - 1"),
    Job("negate", ("turn the sign of {x} around", "negate {x}"), "-{x}"),
    Job("equal", ("say if {x} and {y} are equal", "test if {x} is equal to {y}"), "{x} == {y}"),
    Job("even", ("say if {x} is even", "test if {x} is even"), "{x} % 2 == 0"),
)
SHAPES = {  # language → what its code looks like, each part counted once
    "Python": (r"\bdef\s+\w+\s*\(", r"\)\s*:", r"\bif\b.*\belse\b", r"\(\s*[A-Za-z]\s*[,)]"),
    "C++": (r"\bint\s+\w+\s*\(", r"\)\s*\{", r";", r"\}", r"\?.*:", r"[(,]\s*int\b"),
}


class Code(Task):
    """A job and its code: the answer is the code's first word, the one step the whole code.

    >>> from ctkit.tasks import get
    >>> problem = get("code").generate(0, difficulty=1)
    >>> language_of(problem.steps[0]) in problem.prompt.pieces["question"]
    True
    """

    name = "code"
    title = "Which code does it? Python or C++"
    difficulties = range(1, 3)

    def draw(self, random: Random, seed: int, difficulty: int | None) -> Problem:
        """A job; at difficulty 1 the question names a language drawn at random, at 2 none, and Python is the habit."""
        level = difficulty or random.choice(self.difficulties)
        context, codes = scene(random)
        language = random.choice(sorted(FIRST)) if level == 1 else "Python"
        prompt = prompt_of(context, question(language if level == 1 else None))
        return Problem(prompt, FIRST[language], (codes[language],), ("true",), "code", seed, level)

    def texts(self, language: str, n: int, seed: int = 0) -> list[str]:
        """`n` prompts that name no language, each with its code in one, for fitting a steering direction.

        The same seed gives the same jobs in both languages, so that nothing but the language differs.
        """
        if language not in FIRST:
            raise CtkitError(
                f"code in the language {shown(language)}", f"the languages {', '.join(FIRST)}", "one of these names"
            )
        random = self.random("texts", seed, None)
        scenes = [scene(random) for _ in range(n)]
        return [f"{prompt_of(context, question(None)).text} {codes[language]}" for context, codes in scenes]

    def baselines(self, problem: Problem) -> dict[str, str | tuple[str, ...]]:
        """One language whatever is asked: half of the problems that name one, all or none of those that do not."""
        return {f"always {language}": word for language, word in FIRST.items()}

    def words(self) -> set[str]:
        """All words of the jobs, their code and their questions, and the digits in the code."""
        named = dict(zip("xyz", NAMES))
        told = [tell(frame, phrase.format(**named)) for job in JOBS for phrase in job.phrases for frame in FRAMES]
        written = [job.code(language, tuple(NAMES[: job.arguments])) for job in JOBS for language in FIRST]
        texts = [*told, *written, *map(question, (None, *FIRST))]
        return set(NAMES).union(*(re.findall(r"[A-Za-z]+|[0-9]", text) for text in texts))


def scene(random: Random) -> tuple[str, dict[str, str]]:
    """A job in words, and its code by language."""
    job = random.choice(JOBS)
    letters = tuple(random.sample(NAMES, job.arguments))
    phrase = random.choice(job.phrases).format(**dict(zip("xyz", letters)))
    return tell(random.choice(FRAMES), phrase), {language: job.code(language, letters) for language in FIRST}


def tell(frame: str, phrase: str) -> str:
    """A job in words, in a whole sentence."""
    return frame.format(job=phrase, Job=phrase[0].upper() + phrase[1:])


def question(language: str | None) -> str:
    """The question, with or without the language that the code is to be in."""
    return QUESTION if language is None else f"{QUESTION} Write it in {language}."


def language_of(text: str) -> str | None:
    """The language that most of a code's structure is in; None where there is no code, or as much of each.

    A text with the cue is read behind its last cue. Heads, brackets, stops and conditions count, so that code which
    begins in one language and goes on in the other counts as what it mostly is.

    >>> language_of("int add(int b, int c) { return b + c; }")
    'C++'
    """
    code = text.rpartition("Answer:")[2]
    found = {language: sum(bool(re.search(shape, code)) for shape in shapes) for language, shapes in SHAPES.items()}
    first, second = sorted(found, key=found.get, reverse=True)
    return first if found[first] > found[second] else None
