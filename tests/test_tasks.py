"""Generated problems are what they say: fixed by their seed, right by their own rules, and closed to shortcuts."""

import pytest

from ctkit import tasks
from ctkit.errors import CtkitError
from ctkit.tasks import crowd, hunt, mood, sums
from ctkit.zoo.tokenizer import SIGNS

EVERY = [(name, d) for name in tasks.names() for d in tasks.get(name).difficulties]


def problems(name, difficulty, n=200):
    return [tasks.get(name).generate(seed, difficulty) for seed in range(n)]


@pytest.mark.parametrize("name, difficulty", EVERY)
def test_a_seed_fixes_the_problem(name, difficulty):
    task = tasks.get(name)
    first = problems(name, difficulty, 20)
    assert first == problems(name, difficulty, 20)
    assert len({p.prompt.text for p in first}) > 15 or (name, difficulty) == ("sums", 1)
    assert all(p.difficulty == difficulty and p.task == name for p in first)
    assert all(len(p.steps) == len(p.labels) and set(p.labels) <= {"true", "decoy", "check"} for p in first)
    assert all(list(p.prompt.pieces) == ["context", "question", "cue"] for p in first)
    assert task.generate(3) == task.generate(3)


def test_problems_stay_what_they_are_for_ever():
    """Fixed texts: a change here changes every number in the cards and lessons."""
    pieces = tasks.get("hunt").generate(3, 1).prompt.pieces
    assert pieces["context"] == "The jar is in the basin. The vase is in the cart. The basket is in the pan."
    assert tasks.get("sums").generate(1, 1).prompt.text == "q = 6. n = 6. What is n? Answer:"
    assert tasks.get("mood").generate(1, 1).prompt.pieces["context"].startswith("Ben saw a cold garden.")


@pytest.mark.parametrize("difficulty", hunt.Hunt.difficulties)
@pytest.mark.parametrize("order", hunt.ORDERS)
def test_hunt_is_solved_by_following_its_facts(difficulty, order):
    for seed in range(60):
        problem = tasks.get("hunt").generate(seed, difficulty, order=order)
        holders = dict(hunt.facts(problem))
        thing = problem.prompt.pieces["question"].split()[-1][:-1]
        walked = []
        while thing in holders:
            walked.append(f"The {thing} is in the {holders[thing]}.")
            thing = holders[thing]
        assert thing == problem.answer
        assert tuple(walked) == problem.steps and len(walked) == difficulty
        places = [problem.prompt.pieces["context"].index(step) for step in problem.steps]
        if order != "any":
            assert places == sorted(places, reverse=order == "backward")


@pytest.mark.parametrize("difficulty", sums.Sums.difficulties)
def test_sums_come_out_by_arithmetic(difficulty):
    for problem in problems("sums", difficulty, 100):
        values = {}
        for told in problem.prompt.pieces["context"].rstrip(".").split(". "):
            name, right = told.split(" = ")
            values[name] = eval(right, {}, values) % 10
        asked = problem.prompt.pieces["question"].split()[-1][:-1]
        assert str(values[asked]) == problem.answer
        assert problem.labels.count("true") == difficulty
        for step, label in zip(problem.steps, problem.labels):
            *_, shown, result = ["", *step.rstrip(".").removeprefix("Check: ").split(" = ")]
            assert label == "check" or values[step.split()[0]] == int(result)
            assert "+" not in shown or eval(shown) % 10 == int(result)


def test_sums_labels_say_what_the_answer_needs():
    """Changing the number in a line changes the answer exactly where the line's step is labelled true."""
    for problem in problems("sums", 4, 50):
        lines = sums.read_lines(problem.prompt.pieces["context"])
        asked = problem.prompt.pieces["question"].split()[-1][:-1]
        for i, line in enumerate(lines):
            moved = [*lines[:i], sums.Line(line.name, line.start, line.plus + 1), *lines[i + 1 :]]
            changed = str(sums.values_of(moved)[asked]) != problem.answer
            step = next(k for k, step in enumerate(problem.steps) if step.startswith(f"{line.name} ="))
            assert changed == (problem.labels[step] == "true")


@pytest.mark.parametrize("difficulty", crowd.Crowd.difficulties)
def test_a_crowd_is_searched_by_following_two_facts(difficulty):
    for problem in problems("crowd", difficulty, 60):
        holders = dict(hunt.facts(problem))
        thing = problem.prompt.pieces["question"].split()[-1][:-1]
        for step in problem.steps:
            assert step == hunt.sentence((thing, holders[thing]))
            thing = holders[thing]
        assert thing == problem.answer and thing not in holders
        assert len(holders) == 3 * (difficulty + 1) and len(problem.steps) == 2
        ends = tasks.get("crowd").baselines(problem)["any chain's end"]
        assert len(ends) == difficulty + 1 and problem.answer in ends


def test_hunts_hold_chains_of_one_length():
    for difficulty in hunt.Hunt.difficulties:
        problem = tasks.get("hunt").generate(5, difficulty)
        assert len(hunt.facts(problem)) == difficulty * (3 if difficulty <= 2 else 2)
        ends = tasks.get("hunt").baselines(problem)["any chain's end"]
        assert len(ends) == (3 if difficulty <= 2 else 2) and problem.answer in ends


def test_a_wrong_value_is_followed_to_the_end():
    lines = [sums.Line("b", None, 3), sums.Line("d", None, 1), sums.Line("c", "b", 4)]
    assert sums.thought(lines, "c")[0] == ("b = 3.", "d = 1.", "c = 3 + 4 = 7.", "Check: 3 + 4 = 7.")
    assert sums.thought(lines, "c", {"b": 9})[0] == ("b = 9.", "d = 1.", "c = 9 + 4 = 3.", "Check: 9 + 4 = 3.")
    assert sums.thought(lines, "c", {"d": 5})[0][-1] == "Check: 3 + 4 = 7."


@pytest.mark.parametrize("difficulty", mood.Mood.difficulties)
def test_a_mood_is_what_most_words_have(difficulty):
    for problem in problems("mood", difficulty, 100):
        words = problem.prompt.pieces["context"].replace(".", "").split()
        styles = [style for style in map(mood.style_of, words) if style]
        assert len(styles) == 6 and styles.count(problem.answer) > 3
    off = sum(s != problem.answer for s in styles)
    assert difficulty > 1 or off == 0


def test_texts_of_a_style_are_told_in_it():
    happy = mood.Mood().texts("happy", 30, seed=1)
    assert happy == mood.Mood().texts("happy", 30, seed=1) != mood.Mood().texts("happy", 30, seed=2)
    styles = [style for text in happy for style in map(mood.style_of, text.replace(".", "").split()) if style]
    assert 0.6 < styles.count("happy") / len(styles) < 1
    with pytest.raises(CtkitError, match="angry") as error:
        mood.Mood().texts("angry", 1)
    assert "happy" in error.value.found


SHORTCUTS = {  # task → the most that any of its shortcuts may score
    "because": 0.6, "code": 0.56, "copy": 0.82, "crowd": 0.56, "emphasis": 0.56, "hunt": 0.56, "meaning": 0.42,
    "people": 0.35, "signs": 0.35, "sums": 0.35, "tags": 0.67,
}  # fmt: skip
PAY = {  # what is no shortcut but the task itself, or the habit that the task is about
    ("hunt", "one hop only"): {1},
    ("sums", "number beside the name"): {1},
    ("sums", "number named last"): {1},
    ("sums", "most frequent number"): {1},
    ("signs", "number beside the name"): {1},
    ("signs", "number named last"): {1},
    ("signs", "numbers chained as they stand"): {1, 2, 3, 4},
    ("people", "family's country"): {4, 6},
    ("code", "always Python"): {2},
    ("emphasis", "always the newer"): {2},
}


@pytest.mark.parametrize("name, difficulty", [(name, d) for name, d in EVERY if name != "mood"])
def test_shortcuts_do_not_pay(name, difficulty):
    """A shortcut that leaves k answers open is right by luck in 1/k of the problems it covers: never above a half."""
    task, population = tasks.get(name), problems(name, difficulty, 400)
    for shortcut in task.baselines(population[0]):
        if difficulty in PAY.get((name, shortcut), ()):
            continue
        right = 0.0
        for problem in population:
            found = task.baselines(problem)[shortcut]
            guesses = (found,) if isinstance(found, str) else found
            right += (problem.answer in guesses) / max(1, len(guesses))
        assert right / len(population) < SHORTCUTS[name], shortcut


def test_training_never_draws_an_evaluation_problem_by_seed():
    task = tasks.get("hunt")
    assert task.random("generate", 0, 3).random() != task.random("train", 0, 3).random()
    assert task.random("generate", 0, 3).random() != task.random("generate", 1, 3).random()


@pytest.mark.parametrize("name, difficulty", EVERY)
def test_a_task_knows_its_words(name, difficulty):
    task = tasks.get(name)
    known = task.words()
    for problem in problems(name, difficulty, 100):
        text = " ".join(
            [problem.prompt.pieces["context"], problem.prompt.pieces["question"], problem.answer, *problem.steps]
        )
        for sign in SIGNS:
            text = text.replace(sign, " ")
        assert set(text.split()) <= known


def test_wrong_requests_say_what_there_is():
    with pytest.raises(CtkitError, match="asked for the task 'hnt'") as error:
        tasks.get("hnt")
    assert error.value.found == f"the tasks {', '.join(tasks.names())}" and {"hunt", "sums", "mood"} <= set(
        tasks.names()
    )
    with pytest.raises(CtkitError, match="difficulties 1 to 6"):
        tasks.get("hunt").generate(0, difficulty=7)
    with pytest.raises(CtkitError, match="whole number"):
        tasks.get("hunt").generate("a")
    with pytest.raises(CtkitError, match="order"):
        tasks.get("hunt").generate(0, 2, order="sideways")
