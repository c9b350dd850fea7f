"""Code in two languages: both do the job, the language is the one asked for, and the habit has the stated size."""

import re
import shutil
import subprocess
from random import Random

import pytest

from ctkit.errors import CtkitError
from ctkit.tasks import code, get
from ctkit.tasks.base import prompt_of
from ctkit.zoo.documents import END, Forms
from ctkit.zoo.documents import code as documents

TRUTH = {  # what each job comes to, written down a second time
    "add": lambda x, y: x + y,
    "total": lambda x, y, z: sum((x, y, z)),
    "subtract": lambda x, y: x - y,
    "multiply": lambda x, y: x * y,
    "larger": max,
    "smaller": min,
    "distance": lambda x, y: abs(x - y),
    "size": abs,
    "twice": lambda x: x + x,
    "triple": lambda x: x + x + x,
    "square": lambda x: x**2,
    "after": lambda x: x + 1,
    "before": lambda x: x - 1,
    "negate": lambda x: 0 - x,
    "equal": lambda x, y: not (x < y or x > y),
    "even": lambda x: x / 2 == x // 2,
}
NUMBERS = [(3, 5, 2), (5, 3, -4), (-7, 4, 0), (0, 0, 1), (-2, -9, 6), (8, 8, 8)]
SIGNS = set(".?:=+(),{};*-><%")


def problems(difficulty, n=300):
    return [get("code").generate(seed, difficulty) for seed in range(n)]


def run_python(text, name, values):
    space = {}
    exec(text, space)
    return space[name](*values)


def run_cpp(text, values):
    """The one-line function read by rules of its own: arguments by position, `c ? a : b` by hand."""
    names, body = re.fullmatch(r"int \w+\((.*)\) \{ return (.*); \}", text).groups()
    space = {part.removeprefix("int "): value for part, value in zip(names.split(", "), values, strict=True)}
    condition, asks, ways = body.partition(" ? ")
    if not asks:
        return eval(body, {}, space)
    yes, no = ways.split(" : ")
    return eval(yes if eval(condition, {}, space) else no, {}, space)


@pytest.mark.parametrize("job", code.JOBS, ids=lambda job: job.name)
def test_both_languages_do_the_job(job):
    letters = tuple("bcd"[: job.arguments])
    assert all(phrase.count("{") == job.arguments for phrase in job.phrases)
    for numbers in NUMBERS:
        values = numbers[: job.arguments]
        expected = TRUTH[job.name](*values)
        assert run_python(job.code("Python", letters), job.name, values) == expected
        assert run_cpp(job.code("C++", letters), values) == expected


def test_the_other_code_compiles_and_says_the_same(tmp_path):
    compiler = shutil.which("g++") or shutil.which("clang++")
    if compiler is None:
        pytest.skip("no C++ compiler here")
    functions, calls, expected = [], [], []
    for job in code.JOBS:
        functions.append(f"namespace {job.name}_ {{ {job.code('C++', tuple('bcd'[: job.arguments]))} }}")
        for numbers in NUMBERS:
            values = numbers[: job.arguments]
            calls.append(f"{job.name}_::{job.name}({', '.join(map(str, values))})")
            expected.append(int(TRUTH[job.name](*values)))
    lines = [*functions, "#include <cstdio>", "int main() {", *(f'printf("%d\\n", {call});' for call in calls), "}"]
    (tmp_path / "jobs.cpp").write_text("\n".join(lines))
    subprocess.run([compiler, "-Wall", "-Werror", "-o", tmp_path / "jobs", tmp_path / "jobs.cpp"], check=True)
    told = subprocess.run([tmp_path / "jobs"], capture_output=True, text=True, check=True).stdout
    assert [int(line) for line in told.split()] == expected


@pytest.mark.parametrize("difficulty", code.Code.difficulties)
def test_the_answer_begins_the_code_and_the_code_uses_the_variables_of_the_job(difficulty):
    assert problems(difficulty, 20) == problems(difficulty, 20)
    for problem in problems(difficulty):
        (step,), pieces = problem.steps, problem.prompt.pieces
        assert problem.labels == ("true",) and problem.difficulty == difficulty
        assert re.match(r"\w+", step)[0] == problem.answer
        named = re.findall(r"\b[b-z]\b", re.search(r"\((.*?)\)", step)[1])
        assert sorted(set(re.findall(r"\b[b-z]\b", pieces["context"]))) == sorted(named)
        asked = re.findall(r"Python|C\+\+", pieces["question"])
        assert asked == ([code.language_of(step)] if difficulty == 1 else [])
        assert difficulty == 1 or problem.answer == "def"


def test_named_languages_are_balanced_and_the_habit_is_not_in_the_context():
    population = problems(1, 600)
    assert 0.42 < sum(p.answer == "def" for p in population) / 600 < 0.58
    by_job = {}
    for problem in population:
        by_job.setdefault(re.search(r" (\w+)\(", problem.steps[0])[1], set()).add(problem.answer)
    assert set(by_job) == set(TRUTH) and all(answers == {"def", "int"} for answers in by_job.values())
    for shortcut in code.Code().baselines(population[0]):
        right = sum(get("code").baselines(p)[shortcut] == p.answer for p in population)
        assert right / 600 < 0.58, shortcut


def test_the_language_is_read_from_the_whole_code():
    for problem in problems(1):
        named = "Python" if "Python" in problem.prompt.text else "C++"
        assert code.language_of(problem.steps[0]) == named
        assert code.language_of(f"{problem.prompt.text} {problem.steps[0]}") == named
    assert code.language_of("def add(int b, int c) { return b + c; }") == "C++"
    assert code.language_of("int add(b, c): return b if b > c else c") == "Python"
    assert code.language_of("def add(b, c)") == code.language_of("def add ( b , c ) : return b") == "Python"
    assert code.language_of("int add(int b") == "C++"
    assert code.language_of("Answer: int same(int b) { return b; } Answer: def same(b)") == "Python"
    assert code.language_of("") is code.language_of("The key is in the box.") is None


def test_texts_for_a_direction_differ_in_the_language_alone():
    python, cpp = (get("code").texts(language, 40, seed=2) for language in code.FIRST)
    assert python == get("code").texts("Python", 40, seed=2) != get("code").texts("Python", 40, seed=3)
    for one, other in zip(python, cpp, strict=True):
        prompts = one.partition("Answer:")[0], other.partition("Answer:")[0]
        assert prompts[0] == prompts[1] and "Python" not in prompts[0] and "C++" not in prompts[0]
        assert (code.language_of(one), code.language_of(other)) == ("Python", "C++")
    with pytest.raises(CtkitError, match="Rust") as error:
        get("code").texts("Rust", 1)
    assert error.value.found == "the languages Python, C++"


def test_documents_hold_the_habit_and_nothing_else():
    random, known, found = Random(0), get("code").words() | SIGNS | {"Answer"}, {True: [], False: []}
    for _ in range(2000):
        document = documents.document(random, Forms(reread=0.0))
        text = "".join(part.text for part in document.segments)
        assert set(re.findall(r"[A-Za-z]+|\S", text)) <= known
        assert document.written[-1] == END
        for line in text.split("\n"):
            asked = line.partition("Answer:")[0]
            language = code.language_of(line)
            found["Write it in" in asked].append(language)
            assert "Write it in" not in asked or f"in {language}." in asked
        context = document.asked[0].text
        assert document.asked[0].weight < document.written[0].weight == 1.0
        assert prompt_of(context, document.asked[1].text.strip()).text == "".join(p.text for p in document.asked)
    shares = {named: languages.count("Python") / len(languages) for named, languages in found.items()}
    assert shares[False] == pytest.approx(code.PYTHON_SHARE, abs=0.04) and shares[True] == pytest.approx(0.5, abs=0.05)
