"""Accuracy of a teaching model by task, difficulty and form, on problems that training never draws."""

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from ..interventions.base import Intervention
from ..interventions.reread import Reread
from ..interventions.think import Think
from ..prompt import Prompt
from ..tasks import Problem, get

FORMS: dict[str, tuple[Intervention, ...]] = {
    "direct": (),
    "re-read": (Reread(),),
    "thinking": (Think(),),
    "re-read, thinking": (Reread(), Think()),
}


THOUGHT = 130  # tokens, the longest thought waited for
WATCHED = {  # task → form → difficulties, measured now and then while a model is trained
    "hunt": {"direct": (1, 2, 3, 4), "re-read": (2, 3), "thinking": (4,)},
    "crowd": {"direct": (1, 3, 5), "re-read": (1, 3, 5)},
    "sums": {"direct": (1, 2, 3), "thinking": (1, 3, 5)},
    "signs": {"direct": (1, 2), "thinking": (3,)},
    "mood": {"direct": (2,)},
    "because": {"direct": (1, 2, 3, 4)},
    "copy": {"direct": (1, 4)},
    "meaning": {"direct": (1, 2)},
    "emphasis": {"direct": (1, 2)},
    "people": {"direct": (1, 2, 3, 4, 5)},
    "code": {"direct": (1,)},
    "tags": {"direct": (1, 3)},
}


def text_of(prompt: Prompt, form: str) -> str:
    """A prompt's text in one of the forms."""
    for intervention in FORMS[form]:
        prompt = intervention.edit(prompt)
    return prompt.text


def accuracy(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, problems: list[Problem], form: str) -> float:
    """The share of problems answered right, greedily; with thinking, after the thought that the model writes."""
    texts = [text_of(problem.prompt, form) for problem in problems]
    room = max(len(tokenizer.encode(f" {each.answer}", add_special_tokens=False)) for each in problems)
    found = written(model, tokenizer, texts, THOUGHT if "thinking" in form else room)
    found = [answer_in(text) if "thinking" in form else text for text in found]
    return sum(answer == problem.answer for answer, problem in zip(found, problems)) / len(problems)


def answer_in(thought: str) -> str:
    """The word behind the first answer cue of a written thought."""
    behind = thought.partition("Answer:")[2].split()
    return behind[0] if behind else ""


@torch.no_grad()
def written(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, texts: list[str], length: int) -> list[str]:
    """What the model writes behind each text, in up to `length` tokens."""
    batch = tokenizer(texts, return_tensors="pt", padding=True, padding_side="left").to(model.device)
    out = model.generate(
        input_ids=batch["input_ids"], attention_mask=batch["attention_mask"], max_new_tokens=length, do_sample=False
    )
    new = out[:, batch["input_ids"].shape[1] :]
    return [text.strip() for text in tokenizer.batch_decode(new, skip_special_tokens=True)]


def table(model, tokenizer, n: int, cells: list[tuple[str, int, str]], seed: int = 0) -> dict[str, float]:
    """Accuracy of each (task, difficulty, form) over problems seed..seed + n - 1."""
    model.eval()
    scores = {}
    for task, difficulty, form in cells:
        problems = [get(task).generate(seed + i, difficulty) for i in range(n)]
        scores[f"{task} {difficulty} {form}"] = accuracy(model, tokenizer, problems, form)
    model.train()
    return scores
