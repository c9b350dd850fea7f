"""Which steps of a thought does the answer rest on? To add a measure, see `measure.py`."""

from .effects import StepEffects as StepEffects
from .measure import METHODS as METHODS
from .measure import StepsInterrupted as StepsInterrupted
from .measure import effects_of as effects_of
from .measure import step_effects as step_effects
from .paper import PAPER_CUE as PAPER_CUE
from .perturb import PERTURBATIONS as PERTURBATIONS
from .receivers import ReceiverHeads as ReceiverHeads
from .receivers import receiver_heads as receiver_heads
from .split import Steps as Steps
from .split import cut as cut
from .split import labels_of as labels_of
from .split import split as split
from .thought import Thought as Thought
from .truth import StepTruth as StepTruth
from .truth import step_truth as step_truth
