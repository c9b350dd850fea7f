"""Notes in conflict: the answer is the place to trust, the newer note is found, and no shortcut finds either."""

import re
from random import Random

import pytest

from ctkit.tasks import emphasis, get
from ctkit.zoo.documents import END, Forms
from ctkit.zoo.documents import emphasis as documents


def problems(difficulty, n=400):
    return [get("emphasis").generate(seed, difficulty) for seed in range(n)]


def places(context, thing):
    """The old and the newer place of a thing, read off the text with a rule of its own."""
    old = re.findall(rf"Before, the {thing} was in the (\w+)\.", context)
    new = re.findall(rf"Now, the {thing} is in the (\w+)\.", context)
    assert len(old) == len(new) == 1
    return {"old": old[0], "new": new[0]}


def asked(problem):
    return re.fullmatch(r"Where is the (\w+)\?", problem.prompt.pieces["question"])[1]


@pytest.mark.parametrize("difficulty", emphasis.Emphasis.difficulties)
def test_the_answer_is_the_place_to_trust(difficulty):
    assert problems(difficulty, 20) == problems(difficulty, 20)
    for problem in problems(difficulty):
        context = problem.prompt.pieces["context"]
        trusted = re.findall(r"Trust the (\w+) notes\.", context)
        assert len(trusted) == (difficulty == 1)
        assert problem.answer == places(context, asked(problem))[(trusted or ["new"])[0]]
        (step,) = problem.steps
        assert step in context and asked(problem) in step and step.endswith(f"{problem.answer}.")
        named = re.findall(r"the (\w+) (?:is|was) in the (\w+)", context)
        assert len(named) in (4, 6) and len({place for _, place in named}) == len(named)
        assert not {thing for thing, _ in named} & {place for _, place in named}


def test_the_piece_to_emphasise_is_found():
    task = get("emphasis")
    for problem in problems(2):
        context, found = problem.prompt.pieces["context"], places(problem.prompt.pieces["context"], asked(problem))
        assert context.count(task.newer(problem)) == context.count(task.older(problem)) == 1
        assert task.newer(problem) == f"Now, the {asked(problem)} is in the {found['new']}."
        assert task.older(problem) == f"Before, the {asked(problem)} was in the {found['old']}."


@pytest.mark.parametrize("difficulty", emphasis.Emphasis.difficulties)
def test_order_and_instruction_are_balanced(difficulty):
    task, population = get("emphasis"), problems(difficulty, 800)
    later = [p.prompt.pieces["context"].index(task.newer(p)) for p in population]
    earlier = [p.prompt.pieces["context"].index(task.older(p)) for p in population]
    assert 0.44 < sum(a > b for a, b in zip(later, earlier)) / 800 < 0.56
    right = dict.fromkeys(task.baselines(population[0]), 0.0)
    for problem in population:
        for name, guess in task.baselines(problem).items():
            guesses = (guess,) if isinstance(guess, str) else guess
            right[name] += (problem.answer in guesses) / len(guesses) / 800
    assert right["told last"] == pytest.approx(0.5, abs=0.06) and right["either"] == pytest.approx(0.5)
    if difficulty == 1:
        assert right["always the old"] == pytest.approx(0.5, abs=0.06)
        assert 0.4 < sum(p.prompt.pieces["context"].startswith("Trust") for p in population) / 800 < 0.6
    else:
        assert right["always the newer"] == pytest.approx(1.0) and right["always the old"] == 0


def test_documents_follow_the_instruction_and_leave_the_rest_unsettled():
    random, known = Random(0), get("emphasis").words() | set(".?:,") | {"Answer"}
    chosen, further = [], set()
    for _ in range(3000):
        document = documents.document(random, Forms(reread=0.0, think=0.2))
        text = "".join(part.text for part in document.segments)
        assert set(re.findall(r"[A-Za-z]+|\S", text.replace("Let's think step by step.", ""))) <= known
        assert document.written[-1] == END
        context = document.asked[0].text
        trusted = re.findall(r"Trust the (\w+) notes\.", context)
        for line in text.split("\n"):
            thing, told = re.search(r"Where (?:is|was) the (\w+)( now| before)?\?", line).groups()
            answer = line.rpartition("Answer: ")[2]
            found = places(context, thing)
            if told:
                assert answer == found["new" if told == " now" else "old"] and not trusted
                further.add(told)
            elif trusted:
                assert answer == found[trusted[0]]
            else:
                assert answer in found.values()
                chosen.append(answer == found["old"])
            if "step by step" in line:
                assert line.partition("step by step. ")[2].partition(". ")[0].endswith(f" {answer}")
    assert sum(chosen) / len(chosen) == pytest.approx(emphasis.OLD_SHARE, abs=0.04)
    assert further == {" now", " before"}


def test_a_task_knows_the_words_of_its_notes():
    known = get("emphasis").words()
    for difficulty in emphasis.Emphasis.difficulties:
        for problem in problems(difficulty, 100):
            assert set(re.findall(r"\w+", problem.prompt.text)) <= known | {"Answer"}
