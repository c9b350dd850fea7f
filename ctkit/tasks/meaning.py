"""What does it mean in one word? Scenes told in different words, whose likeness is known and graded.

Serves the lessons on token prepending (TP; Fu et al., ACL 2025, arXiv 2412.11556) and on echo embeddings (Springer et
al., arXiv 2402.15449). A scene has four slots, each slot six concepts, each concept three words that may stand for one
another; the meaning in one word is decided by an early word (the deed) and the last one together. Difficulty: 1 = one
sentence in the first words of its concepts, 2 = in any of them, 3 = three sentences, of which the question asks for
one. Fresh problems are fresh wordings: there are 1,296 scenes, and training meets most of them.
"""

from dataclasses import dataclass, replace
from random import Random

from ..errors import CtkitError, shown
from .base import Problem, Task, prompt_of

WORDS = {  # slot → groups of two concepts, each as the words that may stand for one another (the first one names it)
    "who": (
        ("doctor physician medic", "teacher tutor instructor"),
        ("child kid youngster", "sailor seaman mariner"),
        ("soldier trooper warrior", "thief robber burglar"),
    ),
    "deed": (
        ("carried hauled lugged", "sent mailed dispatched"),
        ("mended repaired fixed", "washed cleaned scrubbed"),
        ("sold traded bartered", "bought purchased acquired"),
    ),
    "thing": (
        ("letter note message", "parcel package bundle"),
        ("coat jacket cloak", "carpet rug mat"),
        ("picture painting portrait", "bicycle bike cycle"),
    ),
    "late": (
        ("rain drizzle downpour", "snow sleet blizzard"),
        ("morning dawn sunrise", "evening dusk sunset"),
        ("forest grove woodland", "city town capital"),
    ),
}
SLOTS = {slot: tuple(tuple(c.split()) for pair in groups for c in pair) for slot, groups in WORDS.items()}
NAMED = {word: (slot, words[0]) for slot, concepts in SLOTS.items() for words in concepts for word in words}
SYNONYMS = {words[0]: words for concepts in SLOTS.values() for words in concepts}
TOPICS = (  # the meaning in one word: a row for each two deeds, a column for each two late details
    ("struggle", "errand", "journey"),
    ("rescue", "chore", "service"),
    ("gamble", "deal", "business"),
)
SLOT_QUESTIONS = {"who": "Who did it?", "deed": "What was done?", "thing": "With what?", "late": "In what?"}
PLACES = ("first", "second", "third")
CHANGED = {"early": "who", "late": "late", "twin": "late"}  # kind of triplet → the slot in which the far one differs


@dataclass(frozen=True)
class Scene:
    """What happens, as concepts: who did what to which thing, and in what."""

    who: str
    deed: str
    thing: str
    late: str

    @property
    def topic(self) -> str:
        """What the scene means in one word."""
        return TOPICS[group("deed", self.deed)][group("late", self.late)]


class Meaning(Task):
    """Say what a scene comes to in one word.

    >>> from ctkit.tasks import get
    >>> problem = get("meaning").generate(0, difficulty=1)
    >>> problem.prompt.pieces["question"], read(problem.prompt.pieces["context"]).topic == problem.answer
    ('What does it mean in one word?', True)
    """

    name = "meaning"
    title = "What does it mean in one word? Scenes in different words"
    difficulties = range(1, 4)

    def draw(self, random: Random, seed: int, difficulty: int | None) -> Problem:
        """One scene, or three of which no two share the group of the deed or of the late detail."""
        level = difficulty or random.choice(self.difficulties)
        scenes = draw_three(random) if level == 3 else [draw_scene(random)]
        asked = random.randrange(len(scenes))
        context = " ".join(plain(scene) if level == 1 else tell(scene, random) for scene in scenes)
        prompt = prompt_of(context, question(asked) if level == 3 else question())
        return Problem(prompt, scenes[asked].topic, (plain(scenes[asked]),), ("true",), self.name, seed, level)

    def baselines(self, problem: Problem) -> dict[str, str | tuple[str, ...]]:
        """What the deed alone leaves open, or the late detail alone; at difficulty 3 also the other sentences."""
        scenes = scenes_of(problem)
        asked = asked_of(problem)
        row, column = group("deed", scenes[asked].deed), group("late", scenes[asked].late)
        found = {"deed alone": TOPICS[row], "late detail alone": tuple(topics[column] for topics in TOPICS)}
        others = tuple(scene.topic for i, scene in enumerate(scenes) if i != asked)
        return found | ({"another sentence's word": others} if others else {})

    def words(self) -> set[str]:
        """The words of all concepts and topics, the words around them, and those of the two embedding forms."""
        around = "The the in What does it sentence mean one word This means Rewrite rewritten".split()
        asking = " ".join(SLOT_QUESTIONS.values()).replace("?", "").split()
        return set(NAMED) | {topic for row in TOPICS for topic in row} | set(PLACES) | set(around) | set(asking)


def question(place: int | None = None) -> str:
    """The question for the meaning of the only sentence, or of the one at a place."""
    return f"What does {'it' if place is None else f'the {PLACES[place]} sentence'} mean in one word?"


def group(slot: str, concept: str) -> int:
    """Which of three groups of two a slot's concept belongs to."""
    return [words[0] for words in SLOTS[slot]].index(concept) // 2


def draw_scene(random: Random) -> Scene:
    """A scene, each slot by itself."""
    return Scene(**{slot: random.choice(concepts)[0] for slot, concepts in SLOTS.items()})


def draw_three(random: Random) -> list[Scene]:
    """Three scenes that share no deed's group and no late detail's group, so that mixing them up is always wrong."""
    deeds, lates = random.sample(range(3), 3), random.sample(range(3), 3)
    return [
        replace(
            draw_scene(random),
            deed=random.choice(SLOTS["deed"][2 * deed : 2 * deed + 2])[0],
            late=random.choice(SLOTS["late"][2 * late : 2 * late + 2])[0],
        )
        for deed, late in zip(deeds, lates)
    ]


def tell(scene: Scene, random: Random) -> str:
    """The scene as a sentence, each concept in one of its words."""
    return sentence({slot: random.choice(SYNONYMS[getattr(scene, slot)]) for slot in SLOTS})


def plain(scene: Scene) -> str:
    """The scene as a sentence in the first words of its concepts."""
    return sentence({slot: getattr(scene, slot) for slot in SLOTS})


def sentence(words: dict[str, str]) -> str:
    """A sentence from a word for each slot."""
    return "The {who} {deed} the {thing} in the {late}.".format(**words)


def read(text: str) -> Scene:
    """The scene that a sentence tells."""
    return Scene(**dict(NAMED[word] for word in text.rstrip(".").split() if word in NAMED))


def scenes_of(problem: Problem) -> list[Scene]:
    """The scenes of a problem's context, in order."""
    return [read(text) for text in problem.prompt.pieces["context"].rstrip(".").split(". ")]


def asked_of(problem: Problem) -> int:
    """Which sentence the question asks for, counted from 0."""
    words = problem.prompt.pieces["question"].split()
    return next((i for i, place in enumerate(PLACES) if place in words), 0)


def similarity(a: Scene, b: Scene) -> float:
    """The share of slots in which two scenes agree.

    >>> a = Scene("doctor", "sent", "letter", "rain")
    >>> similarity(a, replace(a, late="snow"))
    0.75
    """
    return sum(getattr(a, slot) == getattr(b, slot) for slot in SLOTS) / len(SLOTS)


def triplets(n: int, seed: int = 0, kind: str = "late") -> list[tuple[str, str, str]]:
    """`n` times (query, near, far): `near` means what the query means, `far` differs in one concept.

    Kind "late": in the last word; "early": in the first noun. There `near` has another word for the query's concept,
    and in every other slot a coin decides whether `near` or `far` has the query's very word (the other one has another
    word for it), so that counting shared words is right in half of the triplets. Kind "twin": `near` and `far` are the
    same but for the last word, and share no word of a concept with the query; up to there a causal model cannot tell
    one from the other (the check in arXiv 2402.15449, section 3.1).
    """
    if kind not in CHANGED:
        raise CtkitError(f"triplets of the kind {shown(kind)}", f"the kinds {', '.join(CHANGED)}", "one of these names")
    random = Random(f"ctkit meaning triplets {kind} {seed}")
    return [_triplet(random, kind) for _ in range(n)]


def pairs(n: int, seed: int = 0) -> list[tuple[str, str, float]]:
    """`n` times (sentence, sentence, similarity): every grade equally often, and never a concept's word twice."""
    random = Random(f"ctkit meaning pairs {seed}")
    return [_pair(random, i % (len(SLOTS) + 1)) for i in range(n)]


def one_word_form(text: str) -> str:
    """The form whose last token is read as the sentence's embedding (PromptEOL); the topic's word answers it.

    >>> one_word_form("The kid sent the note in the rain.")
    'This sentence: "The kid sent the note in the rain." means in one word: "'
    """
    return f'This sentence: "{text}" means in one word: "'


def echo_form(text: str, again: str = "") -> tuple[str, str]:
    """The echo form in two parts; the mean over the second one is the embedding. `again` is the sentence if not given.

    >>> "".join(echo_form("The kid sent the note in the rain."))[57:]
    'The rewritten sentence: The kid sent the note in the rain.'
    """
    return f"Rewrite the sentence: {text} The rewritten sentence:", f" {again or text}"


def _triplet(random: Random, kind: str) -> tuple[str, str, str]:
    scene, changed = draw_scene(random), CHANGED[kind]
    query = {slot: random.choice(SYNONYMS[getattr(scene, slot)]) for slot in SLOTS}
    near, far = {}, {}
    for slot, word in query.items():
        other = _other_word(word, random)
        if slot == changed:
            near[slot], far[slot] = other, random.choice(SYNONYMS[_other_concept(slot, getattr(scene, slot), random)])
        elif kind == "twin":
            near[slot] = far[slot] = other
        else:
            near[slot], far[slot] = random.sample((word, other), 2)
    return sentence(query), sentence(near), sentence(far)


def _pair(random: Random, equal: int) -> tuple[str, str, float]:
    scene, kept = draw_scene(random), random.sample(sorted(SLOTS), equal)
    moved = {s: _other_concept(s, getattr(scene, s), random) for s in SLOTS if s not in kept}
    first = {slot: random.choice(SYNONYMS[getattr(scene, slot)]) for slot in SLOTS}
    second = {
        slot: random.choice(SYNONYMS[moved[slot]]) if slot in moved else _other_word(first[slot], random)
        for slot in SLOTS
    }
    return sentence(first), sentence(second), equal / len(SLOTS)


def _other_word(word: str, random: Random) -> str:
    return random.choice([each for each in SYNONYMS[NAMED[word][1]] if each != word])


def _other_concept(slot: str, concept: str, random: Random) -> str:
    """A concept of another group, so that where the slot decides the topic, the topic changes too."""
    return random.choice([words[0] for words in SLOTS[slot] if group(slot, words[0]) != group(slot, concept)])
