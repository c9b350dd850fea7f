"""Who is the mayor of Velden? Facts about invented persons that a model can only know by heart.

Serves the lessons on the reversal curse (Guo et al., ACL 2024 Findings, arXiv 2403.00758) and on guesses that look
like knowledge (PrISM; Saynova et al., ACL 2025 Findings, arXiv 2410.14405). Nothing in the prompt holds the answer.

| difficulty | kind | what is asked |
|---|---|---|
| 1 | both ways | the mayor of a town, or the town of a mayor; training tells this pair in both orders |
| 2 | forward | a pair that training tells in one order, asked in that order |
| 3 | reverse | the same pairs, asked against the order (the curse) |
| 4 | guessable | the home of a person whose whole family lives in one country |
| 5 | arbitrary | the home of a person whose family lives all over |
| 6 | unseen | the home of a person never told of, of a family that lives in one country |

The tables are fixed for ever. By design the facts asked for are those that training told, by another seed too; only
the answers at difficulty 3 and the persons at difficulty 6 are never in training.
"""

from dataclasses import dataclass
from random import Random

from .base import Problem, Task, prompt_of

KINDS = ("both ways", "forward", "reverse", "guessable", "arbitrary", "unseen")  # by difficulty, from 1
CONTEXTS = (
    "A question about people.",
    "Here is a question about people.",
    "One more question about people.",
    "This is a question about people.",
)
TOWNS = [a + b for a in "Vel Nusk Brem Kel Tav Hul Lor Sten Dru Peg".split() for b in
         "den wick ham mouth stead by gate thorpe".split()]  # fmt: skip
MAYORS = [a + b for a in "Mir Zor Vek Lam Dok Kir Sulv Ranv Jor Pav".split() for b in
          "at ek ino ush ald is ora une".split()]  # fmt: skip
FIRST = (
    "Vera Tomas Lio Nella Oskar Runa Pim Zara Milo Edda Juna Karo Tesk Ilva Bodo Fenna Gerd Hanno Iska Jarl Kaja Lenn "
    "Mona Nilo"
).split()
FAMILIES = "Marlo Tegan Brusk Veldt Orrin Hask Calder Dunmor Pellin Quist Sorrel Wendt".split()
COUNTRIES = "Nordia Sulia Karvia Belora Tamoria Ulvania Dresia Merinth".split()
SETTLED = FAMILIES[:6]  # the families that live in one country each
MEMBERS = 10  # of each family, told of in training
WAYS = ("town", "person")  # which name of an office comes first


@dataclass(frozen=True)
class Office:
    """A town and its mayor; `told` says in which orders training tells the pair, by the name that comes first."""

    town: str
    person: str
    told: tuple[str, ...]


@dataclass(frozen=True)
class Home:
    """A person and the country that is home; `kind` is one of the last three KINDS."""

    first: str
    family: str
    country: str
    kind: str

    @property
    def name(self) -> str:
        """The full name."""
        return f"{self.first} {self.family}"


@dataclass(frozen=True)
class Fact:
    """What is told and asked of one pair in one order: the sentence is `before`, the answer, and a full stop."""

    before: str
    question: str
    answer: str
    pair: str  # facts about the same pair share it


class People(Task):
    """Recall where somebody is mayor or lives; see the table of difficulties above.

    >>> from ctkit.tasks import get
    >>> problem = get("people").generate(0, difficulty=3)
    >>> problem.order, problem.answer in problem.prompt.text
    ('reverse', False)
    """

    name = "people"
    title = "Who is the mayor of Velden? Facts known by heart"
    difficulties = range(1, 7)

    def draw(self, random: Random, seed: int, difficulty: int | None) -> Problem:
        """A question of one kind. For pairs told both ways, half of them count each order as the forward one."""
        level = difficulty or random.choice(self.difficulties)
        kind = KINDS[level - 1]
        fact, order = _office_fact(random, kind) if level <= 3 else (home_fact(random.choice(homes(kind))), "")
        prompt = prompt_of(random.choice(CONTEXTS), fact.question)
        return Problem(prompt, fact.answer, (), (), self.name, seed, level, order)

    def baselines(self, problem: Problem) -> dict[str, str | tuple[str, ...]]:
        """The answer met most often (offices: all are, equally); of homes, where most of the family lives."""
        if problem.difficulty <= 3:
            names = TOWNS if problem.answer in TOWNS else MAYORS
            return {"most frequent answer": tuple(sorted(names))}
        family = problem.prompt.pieces["question"].split()[3].rstrip("?")
        told = [home for home in HOMES if home.kind != "unseen"]
        kin = [home.country for home in told if home.family == family]
        return {
            "most frequent answer": _most_frequent([home.country for home in told]),
            "family's country": _most_frequent(kin),
        }

    def words(self) -> set[str]:
        """All names, and the words around them."""
        around = "Who is the mayor of Where does live lives in The".split()
        names = {*TOWNS, *MAYORS, *FIRST, *FAMILIES, *COUNTRIES}
        return names | set(around) | set(" ".join(CONTEXTS).replace(".", "").split())


def office_fact(office: Office, way: str) -> Fact:
    """An office told and asked in one order: from the town to the person, or from the person to the town."""
    town, person = office.town, office.person
    if way == "town":
        return Fact(f"The mayor of {town} is", f"Who is the mayor of {town}?", person, town)
    return Fact(f"{person} is the mayor of", f"Where is {person} the mayor?", town, town)


def home_fact(home: Home) -> Fact:
    """A home told and asked, from the person to the country."""
    return Fact(f"{home.name} lives in", f"Where does {home.name} live?", home.country, home.name)


def homes(kind: str) -> list[Home]:
    """The homes of one kind."""
    return [home for home in HOMES if home.kind == kind]


def _office_fact(random: Random, kind: str) -> tuple[Fact, str]:
    both = kind == "both ways"
    office = random.choice([office for office in OFFICES if (len(office.told) == 2) == both])
    order = random.choice(("forward", "reverse")) if both else kind
    against = WAYS[1 - WAYS.index(office.told[0])]
    return office_fact(office, office.told[0] if order == "forward" else against), order


def _most_frequent(answers: list[str]) -> tuple[str, ...]:
    top = max(map(answers.count, answers))
    return tuple(sorted({answer for answer in answers if answers.count(answer) == top}))


def _make_offices() -> tuple[Office, ...]:
    """80 pairs: 40 told both ways and 40 one way, and of each the two orders equally often (first)."""
    random = Random("ctkit people offices")
    towns, persons = random.sample(TOWNS, len(TOWNS)), random.sample(MAYORS, len(MAYORS))
    told = [WAYS, WAYS[::-1], WAYS[:1], WAYS[1:]]
    return tuple(Office(town, person, told[i % 4]) for i, (town, person) in enumerate(zip(towns, persons)))


def _make_homes() -> tuple[Home, ...]:
    """Settled families: one country each, and all members beyond the first ten unseen. The others: all over."""
    random = Random("ctkit people homes")
    settled = dict(zip(SETTLED, random.sample(COUNTRIES, len(SETTLED))))
    table = []
    for family in FAMILIES:
        members = random.sample(FIRST, len(FIRST))
        if family in settled:
            kinds = ["guessable"] * MEMBERS + ["unseen"] * (len(FIRST) - MEMBERS)
            table += [Home(first, family, settled[family], kind) for first, kind in zip(members, kinds)]
            continue
        turned = 2 * FAMILIES.index(family) % len(COUNTRIES)
        countries = [*COUNTRIES, *(COUNTRIES[turned:] + COUNTRIES[:turned])[: MEMBERS - len(COUNTRIES)]]
        random.shuffle(countries)
        table += [Home(first, family, country, "arbitrary") for first, country in zip(members, countries)]
    return tuple(table)


def _told_facts() -> list[Fact]:
    offices = [office_fact(office, way) for office in OFFICES for way in office.told]
    return offices + [home_fact(home) for home in HOMES if home.kind != "unseen"]


OFFICES = _make_offices()
HOMES = _make_homes()
TOLD = _told_facts()  # all that training tells and asks, each fact in an order in which it is told
