"""Ways to break a step: what changes, what stays, and what cannot be broken."""

import random
import re

import pytest

import ctkit as ct
from ctkit.measures.steps.perturb import (
    NUMBER,
    PAPER_OFFSETS,
    PERTURBATIONS,
    break_as_the_paper,
    break_numbers,
    break_result,
    fillers,
    moved,
    perturbation,
    swapped,
)


def test_a_moved_number_is_another_one_of_the_same_length():
    rng = random.Random(0)
    for number in ("0", "9", "10", "99", "123", "3.14"):
        for _ in range(30):
            other = moved(number, rng)
            assert other != number and len(other) == len(number)


def test_breaking_a_result_leaves_the_rest_of_the_step():
    rng = random.Random(1)
    assert break_result("b = 3 + 4 = 7.", "", rng).startswith("b = 3 + 4 = ")
    assert break_result("b = 3 + 4 = 7.", "", rng) != "b = 3 + 4 = 7."
    swapped = break_result("The key is in the box.", "The key is in the box. The cup is in the jar.", rng)
    assert swapped == "The key is in the jar."
    assert break_result("So there.", "So there.", rng) is None


def test_breaking_all_numbers_moves_each():
    before, after = "b = 3 + 4 = 7.", break_numbers("b = 3 + 4 = 7.", "", random.Random(2))
    assert all(x != y for x, y in zip(NUMBER.findall(before), NUMBER.findall(after), strict=True))


def test_the_paper_moves_by_a_little_and_never_by_three():
    moves = set()
    for seed in range(200):
        other = break_as_the_paper("x = 5.", "", random.Random(seed))
        moves.add(int(other[4:-1]) - 5)
    assert moves == set(PAPER_OFFSETS) and 3 not in moves
    assert {break_as_the_paper("x = 0.", "", random.Random(seed)) for seed in range(60)} >= {"x = -1.", "x = 2."}
    assert re.fullmatch(r"9\.5|1[0-4]\.5", break_as_the_paper("12.5", "", random.Random(1)))
    assert break_as_the_paper("No number here.", "Other. Words.", random.Random(0)) is None


def test_a_swap_stays_in_its_kind():
    context = "k = 3. m = k + 5. The key is in the box. The cup is in the jar. Then Ben met Ann and Bea."
    for seed in range(20):
        rng = random.Random(seed)
        assert swapped("k = 3 + 4 = 7.", context, rng) == "k = 3 + 4 = 5."
        assert swapped("So it is k.", context, rng) == "So it is m."
        assert swapped("The key is in the box.", context, rng) in ("The key is in the jar.",)
        assert swapped("He saw Ben.", context, rng) in ("He saw Ann.", "He saw Bea.")
    assert swapped("...", context, rng) is None and swapped("7", "", rng) is None


def test_fillers_are_as_many_words_and_say_nothing():
    assert fillers("b = 3\n+ 4.", "", random.Random(0)) == "... ... ...\n... ..."
    assert fillers("", "", random.Random(0)) == ""


def test_every_way_is_a_step_or_none():
    for name in PERTURBATIONS:
        for step in ("b = 3 + 4 = 7.", "The key is in the box.", "…", "-", "\U0001f600"):
            other = perturbation(name)(step, "The cup is in the jar. x = 9.", random.Random(0))
            assert other is None or isinstance(other, str)
    assert perturbation("identity")("a", "", random.Random(0)) == "a"
    with pytest.raises(ct.CtkitError, match="offset, result, paper-offset, swap, filler, removal, identity"):
        perturbation("explode")
