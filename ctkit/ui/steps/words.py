"""What the measures of steps found, in sentences."""

from math import isnan

from ...measures.steps import StepEffects

WORDS = {
    "mistake": (
        "a step broken, the rest written on",
        "The step gets a wrong result and the model writes the rest on. How far does the probability of its answer "
        "fall?",
    ),
    "true-thinking": (
        "a step broken, the answer asked at once",
        "The text is cut after the step and the answer asked at once, with the step intact or broken, and with the "
        "steps before it intact or broken. Published as the true-thinking score: it is the effect of the step on the "
        "early answer, no more.",
    ),
    "early": (
        "the answer asked early",
        "The thought is cut before the step, and after it. How much nearer to the final answer does the step bring?",
    ),
    "suppress": (
        "a step not looked at",
        "The step stays, but nothing behind it may attend to it. How much changes in what follows?",
    ),
    "resample": (
        "a step written anew",
        "The model writes the step anew, many times. Where it comes out otherwise, does the answer too?",
    ),
    "receiver": ("how much it is read", "How much of the attention of later steps the step receives."),
}
UNNEEDED, NEEDED = 0.05, 0.2  # an effect that is as good as none, and one that is something


def method_of(name: str) -> dict[str, str]:
    """A method with its label and a sentence on what it does."""
    label, hint = WORDS.get(name, (name, ""))
    return {"name": name, "label": label, "hint": hint}


def sentence_of(effects: StepEffects, i: int) -> str:
    """What a measure found for step `i`; "" while it is not measured yet."""
    pair = [values[i] for values in effects.evaluations.values() if i < len(values)]
    if isnan(effects.scores[i]):
        return "" if effects.done < len(effects.steps) else _why_not(effects.method)
    if len(pair) < 2 or any(map(isnan, pair[:2])):
        return ""
    before, after = pair[:2]
    answer, moves = effects.answer, falls(before, after)
    if effects.method == "early":
        return f"asked before it, {answer} has {before:.2f}; right after it, {after:.2f}"
    if effects.method == "mistake":
        return f"as “{effects.broken[i]}”: {answer} {moves}"
    if effects.method == "true-thinking":
        return f"asked right after it: {answer} {moves} when it is broken"
    if effects.method == "suppress":
        return f"not looked at by what follows: {answer} {moves}"
    if effects.method == "resample":
        return f"where it comes out otherwise, {answer} {moves} of the thoughts"
    return f"{list(effects.evaluations)[1]}: {answer} {moves}"


def falls(before: float, after: float) -> str:
    """A probability that moves, in words."""
    old, new = f"{before:.2f}", f"{after:.2f}"
    if old == new:
        return f"stays at {new}"
    return f"{'falls' if after < before else 'rises'} from {old} to {new}"


def what_switches_do(now: StepEffects, bare: StepEffects, names: str) -> str:
    """What the other switches change for the steps: the one they make unnecessary, or what moved most."""
    if now.answer != bare.answer:
        return f"With {names} the thought ends in another answer: {bare.answer} → {now.answer}."
    drops = [b - n for b, n in zip(bare.scores, now.scores, strict=True)]
    measured = [i for i, drop in enumerate(drops) if not isnan(drop)]
    if not measured:
        return ""
    gone = [i for i in measured if _unneeded(now, i) and _needed(bare, i)]
    if gone:
        i = max(gone, key=drops.__getitem__)
        return f"{names} makes step {i + 1} unnecessary: its effect goes {_from_to(bare, now, i)}."
    i = max(measured, key=lambda i: abs(drops[i]))
    if abs(drops[i]) < 0.01:
        return f"{names} moves the effect of no step by 0.01 or more."
    return f"{names} makes no step unnecessary; step {i + 1} moves most, {_from_to(bare, now, i)}."


def what_edit_does(answer: str, before: float, after: float, top: tuple[str, float]) -> str:
    """What an edit does to the answer, and what comes first now."""
    first, chance = top
    now = "" if answer.startswith(first.strip()) and first.strip() else f"; {_quoted(first)} comes first, {chance:.2f}"
    return f"After the edit, {answer} {falls(before, after)}{now}."


def _unneeded(effects: StepEffects, i: int) -> bool:
    return max(abs(effects.scores[i]), effects.intervals[i][1]) <= UNNEEDED


def _needed(effects: StepEffects, i: int) -> bool:
    return effects.scores[i] >= NEEDED and effects.intervals[i][0] > UNNEEDED


def _from_to(bare: StepEffects, now: StepEffects, i: int) -> str:
    return f"from {bare.scores[i]:.2f} to {now.scores[i]:.2f}"


def _why_not(method: str) -> str:
    if method in ("mistake", "true-thinking"):
        return "nothing in it could be broken"
    if method == "resample":
        return "written anew, it never comes out otherwise"
    return "too little comes after it" if method in ("suppress", "receiver") else "not measurable"


def _quoted(token: str) -> str:
    return f"“{token.strip()}”" if token.strip() else {"\n": "a line break"}.get(token, "a space")
