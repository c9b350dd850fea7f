"""What ctkit can do with one class of models: a tiny one of it, put through every law that applies."""

import json
import sys
from dataclasses import asdict, dataclass, field
from typing import Any

import torch

from ..engine.lm import text_config
from ..engine.load import wrap
from ..errors import CtkitError
from . import laws, writing
from .configs import class_name, model_of
from .laws import Law
from .sizes import NOT_BUILT
from .subject import Subject
from .tokens import byte_tokenizer

LAWS = (
    Law("idle is identity", (), laws.idle_is_identity),
    Law("undo is exact", (), laws.undo_is_exact),
    Law("the past does not see the future", (), laws.the_past_does_not_see_the_future),
    Law("a forbidden key counts for nothing", ("mask",), laws.a_forbidden_key_counts_for_nothing),
    Law("opening leaves earlier rows", ("mask",), laws.opening_leaves_earlier_rows),
    Law("burying a key is forbidding it", ("emphasize",), laws.burying_a_key_is_forbidding_it),
    Law("heads are apart", ("mask", "per head", "heads"), laws.heads_are_apart),
    Law("steering shows", ("steer",), laws.steering_shows),
    Law("attention is the model's own", ("attention",), laws.attention_is_the_models_own),
    Law("the stream is the model's own", ("steer",), laws.the_stream_is_the_models_own),
    Law("a setup survives JSON", (), laws.a_setup_survives_json),
    Law("a cache changes nothing", (), writing.a_cache_changes_nothing),
    Law("what is written is what a run says", (), writing.what_is_written_is_what_a_run_says),
    Law("a batch changes nothing", (), writing.a_batch_changes_nothing),
    Law("a batch writes what each writes", (), writing.a_batch_writes_what_each_writes),
)
HOOKS = "attention through hooks on its modules"
REREADS = "each written token reads the whole text again: its cache gives other numbers"
ALONE = "prompts of different lengths one length at a time: padding changes its numbers"
ALIKE = "masks for all heads of a block alike, not for single ones"
NO_STATIC = "no static cache"
CORE = ("reread", "think", "prepend", "steer", "mask", "knockout", "emphasize", "attention", "heads")


@dataclass(frozen=True)
class Verdict:
    """What became of one class.

    `status`: "passed", "passed with fallback", "in part" (the laws hold, but some techniques are refused), "refused",
    or "failed" (a law is broken: a defect of ctkit). `why`: the fallbacks, the reasons, or what failed. `techniques`:
    technique → "yes" or why not. `unchecked`: what could not be compared because the model does not give it out.
    """

    kind: str
    model: str
    status: str
    why: list[str] = field(default_factory=list)
    techniques: dict[str, str] = field(default_factory=dict)
    unchecked: list[str] = field(default_factory=list)


def examine(kind: str) -> Verdict:
    """Build a tiny model of a type, wrap it and test every law whose techniques it supports."""
    name = class_name(kind)
    torch.manual_seed(0)
    try:
        model, twin = model_of(kind), model_of(kind, attn_implementation="eager")
    except Exception as err:
        why = NOT_BUILT.get(kind, "transformers makes no tiny one of it")
        return Verdict(kind, name, "refused", [f"{why} ({type(err).__name__})"])
    try:
        lm = wrap(model, byte_tokenizer())
    except CtkitError as err:
        return Verdict(kind, name, "refused", [err.found.removeprefix("that ")])
    except Exception as err:
        return Verdict(kind, name, "failed", [f"ct.wrap: {_line(err)}"])
    return judge(kind, name, Subject(lm, twin, _out_of_reach(model)))


def judge(kind: str, name: str, subject: Subject) -> Verdict:
    """The verdict on a model that is already wrapped."""
    wrong = broken(subject)
    support = dict(subject.lm.support)
    if wrong:
        return Verdict(kind, name, "failed", wrong, support, subject.unchecked)
    refused = {name: support[name] for name in CORE if support.get(name, "yes") != "yes"}
    if refused:
        return Verdict(kind, name, "in part", sorted(set(refused.values())), support, subject.unchecked)
    fallbacks = _fallbacks(subject)
    status = "passed with fallback" if fallbacks else "passed"
    return Verdict(kind, name, status, fallbacks, support, subject.unchecked)


def broken(subject: Subject, among: tuple[Law, ...] = LAWS) -> list[str]:
    """The laws that the model breaks, each with what is wrong."""
    found = []
    for law in among:
        if not subject.can(*law.needs):
            continue
        try:
            wrong = law.test(subject)
        except Exception as err:
            wrong = _line(err)
        if wrong:
            found.append(f"{law.name}: {wrong}")
    return found


def _fallbacks(subject: Subject) -> list[str]:
    """What works in another way than in most models."""
    found = [HOOKS] if subject.lm.route == "hooks" else []
    if not subject.can("per head"):
        found.append(ALIKE)
    if subject.lm.support.get("batch", "yes") != "yes":
        found.append(ALONE)
    if not subject.can("cache"):
        return [*found, REREADS]
    if not writing.has_static_cache(subject):
        found.append(NO_STATIC)
    return found


def _out_of_reach(model: Any) -> list[str]:
    """What the laws cannot reach with short texts."""
    config = text_config(model)
    chooses = any(getattr(config, name, None) for name in ("index_topk", "indexer_budget"))
    return ["texts longer than the number of keys that its indexer keeps"] if chooses else []


def _line(err: Exception) -> str:
    lines = str(err).strip().splitlines()
    said = err.found if isinstance(err, CtkitError) else lines[0] if lines else ""
    return f"{type(err).__name__}: {said}"


def main() -> None:
    """Examine the types that come in, one a line, and print each verdict as a line of JSON."""
    import transformers

    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    print("ready", flush=True)
    for line in sys.stdin:
        print(json.dumps(asdict(examine(line.strip()))), flush=True)


if __name__ == "__main__":
    main()
