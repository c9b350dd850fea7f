"""Where sentences end: not inside numbers, abbreviations, boxes and running ellipses; and nothing gets lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctkit.sentences import sentence_ranges, sentences

KEPT = [
    ("a = 3. Check: 2.5 + 1 = 3.5. So, e.g. this, is one.\nAnswer: 7", 4),
    ("Pi is 3.14. And so on.", 2),
    ("Dr. Smith met Mr. Jones, i.e. a friend, vs. nobody. They left.", 2),
    ("See Fig. 3 and Eq. (2). Then stop.", 2),
    ("Is it 3? No. It is 4.", 3),
    ("Cats, dogs, etc. are pets. Birds too.", 2),
    ("There are cats, dogs, etc. Birds fly.", 2),
    ("Wait... that is wrong. Hmm… let me see.", 2),
    ("Wait... Let me see.", 2),
    (r"So \boxed{3.14. Or} is it. The answer is \boxed{\frac{1. }{2}}. Done.", 3),
    ("1. First add. 2. Then stop.", 3),
    ("1. First add.\n2. Then stop.", 2),
    ('He said "go." Then he left!', 2),
    ("Really?! Yes.", 2),
    ("一加一等于二。所以答案是二！对。", 3),
    ("a = 3.\n\n\nb = 4.\r\nc = 5", 3),
    ("At 7 a.m. we met. Good.", 2),
    ("x is b. y is c.", 2),
    ("", 0),
    (" \n ", 0),
]


@pytest.mark.parametrize(("text", "n"), KEPT)
def test_so_many_sentences(text, n):
    assert len(sentences(text)) == n


def test_decimals_and_abbreviations_survive():
    assert sentences("Pi is 3.14. Dr. Lee, e.g., knows.") == ["Pi is 3.14.", "Dr. Lee, e.g., knows."]


@given(st.text(alphabet="ab3 .!?…\n\r\"')}{\\boxedDr 。", max_size=60))
def test_only_white_space_stands_between(text):
    at = 0
    for start, stop in sentence_ranges(text):
        assert not text[at:start].strip() and text[start:stop] == text[start:stop].strip() != ""
        at = stop
    assert not text[at:].strip()
