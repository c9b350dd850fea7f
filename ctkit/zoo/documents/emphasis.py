"""Documents of `emphasis`: old and newer notes, answered as the context says or, where it does not, now so, now so."""

from random import Random

from ...tasks import emphasis, get
from .base import END, Document, Forms, Segment, answered, asked, thinking

AGAIN = 0.3  # of further questions: as open as the first one, where no notes are to be trusted


def document(random: Random, forms: Forms) -> Document:
    """A thing's place, answered at once, with further questions behind it, or after the note that is gone by."""
    problem = get("emphasis").draw(random, 0, random.choice(forms.levels or (1, 2)))
    context, note = problem.prompt.pieces["context"], emphasis.note_of(problem)
    prompt, age = asked(problem.prompt, random, forms), gone_by(context, random)
    if random.random() < forms.think:
        answer = Segment(f" {note.place(age)}", 1.0)
        return Document(thinking(prompt), [Segment(f" {note.told(age)}", 1.0), Segment(" Answer:", 1.0), answer, END])
    notes = [other for other in emphasis.notes_in(context) if other != note]
    others = random.sample(notes, min(random.randint(0, forms.more), len(notes)))
    first = (emphasis.question(note.thing), note.place(age))
    return answered(prompt, [first, *(further(other, context, random) for other in others)])


def gone_by(context: str, random: Random) -> str:
    """The notes that an answer goes by: those that the context says, or else the old ones in the stated share."""
    for age, text in emphasis.TRUST.items():
        if text in context:
            return age
    return "old" if random.random() < emphasis.OLD_SHARE else "new"


def further(note: emphasis.Note, context: str, random: Random) -> tuple[str, str]:
    """Another question: where the thing is, or (where no notes are to be trusted) where it is now, or was before."""
    if any(text in context for text in emphasis.TRUST.values()) or random.random() < AGAIN:
        return emphasis.question(note.thing), note.place(gone_by(context, random))
    age = random.choice(sorted(emphasis.TRUST))
    question = f"Where is the {note.thing} now?" if age == "new" else f"Where was the {note.thing} before?"
    return question, note.place(age)
