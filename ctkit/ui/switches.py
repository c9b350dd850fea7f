"""The switches of the playground, with their settings. Data, no behaviour: the view makes controls of it."""

from typing import Any

from ..engine.lm import LM
from ..interventions import Direction
from .fields import Field, choice, pair, place, places, slider, strip, text, way, whole

MORE = {"more": True}  # behind the word "more"


def switches(lm: LM, directions: list[Direction]) -> list[dict[str, Any]]:
    """The switches, in the order in which they act unless they are told another."""
    return [
        _switch(lm, "mask", "Mask", "Mask", "who may look at whom", _mask(lm)),
        _switch(lm, "prefix", "Text in front", "FixedPrefix", "the same words before every prompt", _prefix(), **MORE),
        _switch(lm, "permute", "Other order", "Permute", "the sentences of a piece in another order", _order(), **MORE),
        _switch(
            lm,
            "reread",
            "Read again",
            "Reread",
            "the text once more: late words become visible to early ones",
            _reread(),
        ),
        _switch(
            lm,
            "prepend",
            "Prepend token",
            "PrependToken",
            "a token in front that is told what the last one knows",
            _prepend(lm),
        ),
        _switch(lm, "steer", "Steer", "Steer", "push the stream along a direction", _steer(lm, directions)),
        _switch(lm, "emphasize", "Emphasise", "Emphasize", "draw attention to a part of the text", _emphasize(lm)),
        _switch(lm, "think", "Think", "Think", "write the steps before the answer", _think()),
        _switch(lm, "pine", "No order", "Pine", "read pieces as if none came first", _pine(), **MORE),
    ]


def _switch(
    lm: LM, id_: str, label: str, intervention: str, hint: str, fields: list[Field], **more: Any
) -> dict[str, Any]:
    support = lm.support.get(id_, "yes")
    unsupported = None if support == "yes" else support
    if id_ == "steer" and not fields[0]["choices"]:
        unsupported = unsupported or "no direction could be fitted on this model"
    return {
        "id": id_,
        "label": label,
        "intervention": intervention,
        "hint": hint,
        "unsupported": unsupported,
        "fields": fields,
    } | more


def _mask(lm: LM) -> list[Field]:
    ruled = ["bidirectional", "prefix", "window", "sinks", "parallel", "mutual", "suppress", "painted", "causal", None]
    groups = min(4, lm.n_layers)
    return [
        way(
            "rule",
            "kind",
            ("lifted: all see all", "bidirectional", {"intervention": "Mask", "kind": "bidirectional"}),
            ("lifted in the prompt", "prefix", {"intervention": "Mask", "kind": "prefix"}),
            ("window: the last few", "window", {"intervention": "Mask", "kind": "window"}),
            ("window and first tokens", "sinks", {"intervention": "Mask", "kind": "sinks"}),
            ("pieces side by side", "parallel", {"intervention": "Mask", "kind": "parallel"}),
            ("a piece looks ahead", "mutual", {"intervention": "Mask", "kind": "mutual"}),
            ("a piece is forgotten", "suppress", {"intervention": "Mask", "kind": "suppress"}),
            ("cut: one from another", "knockout", {"intervention": "Knockout"}),
            ("lifted in some blocks", "groups", {"intervention": "MaskGroups"}),
            ("painted by hand", "painted", {"intervention": "Mask", "kind": ["painted"]}),
            ("causal, as it is", "causal", {"intervention": "Mask", "kind": "causal"}),
        ),
        whole("size", "tokens", 8, 1, 512, when={"kind": ["window", "sinks"]}),
        whole("sinks", "first tokens", 4, 0, 64, when={"kind": "sinks"}),
        place("until", "up to", None, when={"kind": "prefix"}),
        places("parallel", "pieces", ["context", "question"], key="pieces", when={"kind": "parallel"}),
        pair("mutual", ("who", "sees"), ["context", "question"], key="pieces", when={"kind": "mutual"}),
        place("suppress", "piece", "context", key="pieces", when={"kind": "suppress"}),
        place("queries", "who", "question", when={"kind": "knockout"}),
        place("keys", "cannot see", "context", when={"kind": "knockout"}),
        strip("code", "blocks", "code", "1" + "0" * (groups - 1), when={"kind": "groups"}),
        choice(
            "in_groups",
            "there",
            {"all see all": "bidirectional", "lifted in the prompt": "prefix"},
            key="kind",
            when={"kind": "groups"},
        ),
        strip("paint", "paint", "paint", key="kind", when={"kind": "painted"}),
        strip("layers", "layers", "layers", when={"kind": [*ruled, "knockout"]}),
        *_heads(lm, when={"kind": [*ruled, "knockout"]}, **MORE),
    ]


def _heads(lm: LM, **more: Any) -> list[Field]:
    """The heads, where a model can have one changed apart from the others."""
    return [strip("heads", "heads", "heads", **more)] if lm.support.get("per head", "yes") == "yes" else []


def _prefix() -> list[Field]:
    return [text("text", "words", "The key is in the box.")]


def _order() -> list[Field]:
    orders = {"backward": "backward", "anyhow": "random"}
    return [
        place("documents", "piece", "context", whole=True),
        choice("order", "order", orders),
        whole("seed", "draw", 0, 0, 999, when={"order": "random"}),
    ]


def _reread() -> list[Field]:
    return [
        way(
            "as",
            "as",
            ("the same text", "again", {"intervention": "Reread"}),
            ("its own rewriting (echo)", "echo", {"intervention": "Echo"}),
        ),
        whole("times", "times", 2, 2, 5, when={"as": "again"}),
        text("phrase", "words between", "Read the question again:", when={"as": "again"}, **MORE),
        text("ask", "words before", "Rewrite the following paragraph:", when={"as": "echo"}, **MORE),
        text("rewritten", "words between", "The rewritten paragraph:", key="phrase", when={"as": "echo"}, **MORE),
    ]


def _prepend(lm: LM) -> list[Field]:
    last = min(lm.n_layers - 1, 3)
    return [
        {"name": "start", "names": ["start", "exit"], "label": "layers", "type": "range", "value": [1, max(2, last)]},
        choice("source", "is told", {"the last token's state": "last", "nothing (control)": "itself"}, **MORE),
        choice("init", "begins as", {"a random embedding": "normal", "the mean embedding": "mean"}, **MORE),
    ]


def _steer(lm: LM, directions: list[Direction]) -> list[Field]:
    choices = [
        {"label": f"{d.name} · layer {d.layer}", "value": d.to_data(), "also": {"layers": [d.layer]}}
        for d in directions
    ]
    first = choices[0]["value"] if choices else None
    at = directions[0].layer if directions else lm.n_layers // 2
    return [
        {
            "name": "direction",
            "label": "along",
            "type": "direction",
            "value": first,
            "choices": choices,
            "layer": lm.n_layers // 2,
        },
        way(
            "how",
            "how",
            ("add it", "length", {"op": "add", "kl": None}),
            ("add, in sizes of the stream", "size", {"op": "relative", "kl": None}),
            ("add, up to a side effect (KL)", "kl", {"op": "add"}),
            ("take it out (ablate)", "ablate", {"op": "ablate", "kl": None}),
        ),
        slider("strength", "strength", 4.0, -8.0, 8.0, 0.5, when={"how": "length"}),
        slider("share", "strength", 0.3, -1.0, 1.0, 0.05, key="strength", when={"how": "size"}),
        slider("part", "how much of it", 1.0, 0.0, 1.0, 0.1, key="strength", when={"how": "ablate"}),
        slider("kl", "KL on neutral text, nats", 0.25, 0.05, 2.0, 0.05, when={"how": "kl"}),
        choice(
            "sign", "towards", {"its first texts": 1.0, "its other texts": -1.0}, key="strength", when={"how": "kl"}
        ),
        strip("layers", "layers", "layers", [at], every=True),
        place("where", "tokens", "all", **MORE),
    ]


def _emphasize(lm: LM) -> list[Field]:
    return [
        place("piece", "part", "question", select=True),
        slider("alpha", "the rest counts", 0.01, 0.01, 1.0, 0.01),
        strip("layers", "layers", "layers", **MORE),
        *_heads(lm, hint="A few heads often do better than all.", **MORE),
    ]


def _think() -> list[Field]:
    return [
        whole("waits", "waits", 0, 0, 5, hint="How often it is sent back to think where it would answer."),
        whole("budget", "words at most", None, 0, 500),
        text("wait", "word that sends it back", "Wait", **MORE),
    ]


def _pine() -> list[Field]:
    return [places("pieces", "pieces", ["context", "question"])]
