"""Documents about chains of sums: answered at once, after a thought that may be cut short or broken, and drills."""

from random import Random

from ...tasks import sums as sumlines
from ...tasks.base import prompt_of
from .base import END, Document, Forms, Segment, answered, asked, thinking


def document(random: Random, forms: Forms) -> Document:
    """Lines and a question, perhaps read again, answered at once or after a thought; or a drill."""
    if random.random() < forms.drill:
        return drill(random)
    if forms.listed and random.random() < forms.listed:  # no draw where nothing is listed: the data stays the same
        return listed(random, forms)
    lines, name = sumlines.draw_lines(random, random.choice(forms.levels or tuple(sumlines.Sums.difficulties)))
    context = " ".join(line.told() for line in lines)
    prompt = asked(prompt_of(context, f"What is {name}?"), random, forms)
    if random.random() < forms.think:
        return Document(thinking(prompt), thought(lines, name, random, forms))
    values = sumlines.values_of(lines)
    others = random.sample(lines, random.randint(0, min(forms.more, len(lines))))
    names = [name, *(line.name for line in others)]
    return answered(prompt, [(f"What is {each}?", str(values[each])) for each in names])


def listed(random: Random, forms: Forms) -> Document:
    """Plain numbers under three to eight names, most of which are asked for: among two, a guess teaches no look-up."""
    names = random.sample(sumlines.NAMES, random.randint(3, 8))
    lines = [sumlines.Line(name, None, random.randrange(10)) for name in names]
    found = [(f"What is {line.name}?", str(line.plus)) for line in random.sample(lines, len(lines) - 1)]
    prompt = asked(prompt_of(" ".join(line.told() for line in lines), found[0][0]), random, forms)
    return answered(prompt, found)


def thought(lines: list[sumlines.Line], name: str, random: Random, forms: Forms) -> list[Segment]:
    """The thought worked out line by line. A wrong value is followed; a wrong check is not."""
    bad, wrong_check = None, False
    if random.random() < forms.broken:
        bad = random.choice(lines)
        wrong_check = random.random() < 0.3
    values = sumlines.values_of(lines)
    wrong = {bad.name: (values[bad.name] + random.randrange(1, 10)) % 10} if bad and not wrong_check else {}
    steps, labels = sumlines.thought(lines, name, wrong)
    segments = []
    for step, label in zip(steps, labels):
        broken = (wrong and step.startswith(f"{bad.name} =")) or (wrong_check and label == "check")
        if wrong_check and label == "check":
            step = f"{step[:-2]}{random.randrange(10)}."
        if broken and random.random() < 0.5:
            step = _other_numbers(step, random)
        segments.append(Segment(f" {step}", 0.0 if broken else 1.0))
    cut = random.random() < forms.cut
    if cut:
        segments = segments[: random.randrange(len(segments))]
    answer = followed(lines, wrong, segments)[name]
    return [*segments, Segment(" Answer:", 0.0 if cut else 1.0), Segment(f" {answer}", 1.0), END]


def followed(lines: list[sumlines.Line], wrong: dict[str, int], segments: list[Segment]) -> dict[str, int]:
    """The values that follow from what was written: a wrong value counts once its step is there."""
    written = {segment.text.split()[0] for segment in segments}
    values: dict[str, int] = {}
    for line in lines:
        value = line.value(values)
        values[line.name] = wrong[line.name] if line.name in wrong and line.name in written else value
    return values


def drill(random: Random) -> Document:
    """Checks of single additions, as thoughts write them: the table that all sums need."""
    segments = []
    for _ in range(random.randint(6, 12)):
        a, b = random.randrange(10), random.randrange(1, 10)
        lead = " " if segments else ""
        segments += [
            Segment(f"{lead}Check: {a} + {b} =", 0.0), Segment(f" {(a + b) % 10}", 1.0), Segment(".", 0.0)
        ]  # fmt: skip
    return Document([], [*segments, END])


def _other_numbers(step: str, random: Random) -> str:
    """The step with other numbers before its result."""
    head, equals, result = step.rpartition("= ")
    return "".join(str(random.randrange(10)) if sign.isdigit() else sign for sign in head) + equals + result
