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


def text_of(prompt: Prompt, form: str) -> str:
    """A prompt's text in one of the forms."""
    for intervention in FORMS[form]:
        prompt = intervention.edit(prompt)
    return prompt.text


def accuracy(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, problems: list[Problem], form: str) -> float:
    """The share of problems answered right, greedily; with thinking, after the thought that the model writes."""
    texts = [text_of(problem.prompt, form) for problem in problems]
    found = [answer_in(text) if "thinking" in form else text for text in written(model, tokenizer, texts, form)]
    return sum(answer == problem.answer for answer, problem in zip(found, problems)) / len(problems)


def answer_in(thought: str) -> str:
    """The word behind the first answer cue of a written thought."""
    behind = thought.partition("Answer:")[2].split()
    return behind[0] if behind else ""


@torch.no_grad()
def written(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, texts: list[str], form: str) -> list[str]:
    """What the model writes behind each text: one token, or a whole thought."""
    batch = tokenizer(texts, return_tensors="pt", padding=True, padding_side="left").to(model.device)
    length = 130 if "thinking" in form else 1
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


def cells(forms: tuple[str, ...] = ("direct", "re-read", "thinking")) -> list[tuple[str, int, str]]:
    """Every task at every difficulty in the given forms."""
    return [(task, d, form) for task in ("hunt", "sums", "mood") for d in get(task).difficulties for form in forms]
