"""ctkit: see how causal transformers read and reason. Start with `ct.load()`, `ct.run(lm, prompt)`, `ct.Playground()`.

Every name is imported when it is first used, so that `import ctkit` is instant and needs neither torch nor a display.
"""

from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:  # for editors and type checkers; the table below says the same to Python
    from . import masks as masks
    from . import plots as plots
    from . import tasks as tasks
    from .directions import fit_clusters as fit_clusters
    from .directions import fit_direction as fit_direction
    from .directions import fit_features as fit_features
    from .directions import fit_heads as fit_heads
    from .directions import random_direction as random_direction
    from .engine.generate import generate as generate
    from .engine.lm import LM as LM
    from .engine.load import load as load
    from .engine.load import wrap as wrap
    from .engine.run import run as run
    from .engine.run import run_many as run_many
    from .engine.trace import Trace as Trace
    from .errors import CtkitError as CtkitError
    from .interventions import Activation as Activation
    from .interventions import Echo as Echo
    from .interventions import Emphasize as Emphasize
    from .interventions import FixedPrefix as FixedPrefix
    from .interventions import Intervention as Intervention
    from .interventions import Knockout as Knockout
    from .interventions import Mask as Mask
    from .interventions import MaskGroups as MaskGroups
    from .interventions import Noise as Noise
    from .interventions import Patch as Patch
    from .interventions import Permute as Permute
    from .interventions import Pine as Pine
    from .interventions import PrependToken as PrependToken
    from .interventions import Reread as Reread
    from .interventions import Setup as Setup
    from .interventions import Split as Split
    from .interventions import Steer as Steer
    from .interventions import SteerClusters as SteerClusters
    from .interventions import SteerHeads as SteerHeads
    from .interventions import Swap as Swap
    from .interventions import Think as Think
    from .interventions.direction import Direction as Direction
    from .lesson import check as check
    from .measures.compare import compare as compare
    from .measures.depth import concept_depth as concept_depth
    from .measures.effect import effect as effect
    from .measures.engagement import engagement as engagement
    from .measures.grouped import grouped_attention as grouped_attention
    from .measures.heads import retrieval_heads as retrieval_heads
    from .measures.lens import lens as lens
    from .measures.order_selection import order_selection as order_selection
    from .measures.patching import patch_sweep as patch_sweep
    from .measures.peak import best_order as best_order
    from .measures.peak import peak_attention as peak_attention
    from .measures.rollout import rollout as rollout
    from .measures.side_effects import side_effects as side_effects
    from .measures.steps import receiver_heads as receiver_heads
    from .measures.steps import step_effects as step_effects
    from .measures.steps import step_truth as step_truth
    from .measures.thinking import with_thought as with_thought
    from .measures.thinking_directions import thinking_directions as thinking_directions
    from .measures.thinking_time import thinking_time as thinking_time
    from .measures.thumbnails import thumbnails as thumbnails
    from .measures.uncertainty import residual_cross_entropy as residual_cross_entropy
    from .prompt import Encoding as Encoding
    from .prompt import Piece as Piece
    from .prompt import Prompt as Prompt
    from .ui.playground import Playground as Playground
    from .ui.steps_view import StepsView as StepsView
    from .ui.views import AttentionView as AttentionView
    from .ui.views import LensView as LensView
    from .ui.views import MaskPainter as MaskPainter
    from .ui.views import PopulationView as PopulationView
    from .ui.views import SteeringView as SteeringView

_HOME = {
    "load": "engine.load",
    "wrap": "engine.load",
    "run": "engine.run",
    "run_many": "engine.run",
    "generate": "engine.generate",
    "LM": "engine.lm",
    "Trace": "engine.trace",
    "compare": "measures.compare",
    "effect": "measures.effect",
    "step_effects": "measures.steps",
    "with_thought": "measures.thinking",
    "receiver_heads": "measures.steps",
    "step_truth": "measures.steps",
    "thumbnails": "measures.thumbnails",
    "patch_sweep": "measures.patching",
    "retrieval_heads": "measures.heads",
    "concept_depth": "measures.depth",
    "residual_cross_entropy": "measures.uncertainty",
    "lens": "measures.lens",
    "rollout": "measures.rollout",
    "grouped_attention": "measures.grouped",
    "peak_attention": "measures.peak",
    "best_order": "measures.peak",
    "order_selection": "measures.order_selection",
    "side_effects": "measures.side_effects",
    "thinking_time": "measures.thinking_time",
    "thinking_directions": "measures.thinking_directions",
    "engagement": "measures.engagement",
    "fit_clusters": "directions",
    "fit_direction": "directions",
    "fit_features": "directions",
    "fit_heads": "directions",
    "random_direction": "directions",
    "Direction": "interventions.direction",
    "Intervention": "interventions",
    "Mask": "interventions",
    "MaskGroups": "interventions",
    "Knockout": "interventions",
    "Emphasize": "interventions",
    "Reread": "interventions",
    "Echo": "interventions",
    "Permute": "interventions",
    "Split": "interventions",
    "FixedPrefix": "interventions",
    "Swap": "interventions",
    "Patch": "interventions",
    "Noise": "interventions",
    "Activation": "interventions",
    "Pine": "interventions",
    "PrependToken": "interventions",
    "Steer": "interventions",
    "SteerClusters": "interventions",
    "SteerHeads": "interventions",
    "Think": "interventions",
    "Setup": "interventions",
    "Prompt": "prompt",
    "Piece": "prompt",
    "Encoding": "prompt",
    "CtkitError": "errors",
    "check": "lesson",
    "Playground": "ui.playground",
    "AttentionView": "ui.views",
    "LensView": "ui.views",
    "MaskPainter": "ui.views",
    "StepsView": "ui.steps_view",
    "PopulationView": "ui.views",
    "SteeringView": "ui.views",
    "masks": "",
    "plots": "",
    "tasks": "",
}  # name → the module it lives in; "" = the name is itself a module

__all__ = ["__version__", *_HOME]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        close = get_close_matches(name, _HOME, n=3, cutoff=0.5)
        hint = f"; did you mean {' or '.join(close)}?" if close else "; dir(ctkit) lists the names"
        raise AttributeError(f"module 'ctkit' has no attribute {name!r}{hint}", name=name)
    home = _HOME[name]
    value = getattr(import_module(f".{home}", __name__), name) if home else import_module(f".{name}", __name__)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
