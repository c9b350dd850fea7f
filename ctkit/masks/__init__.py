"""Rules for who may attend to whom, with & | ~; and the names of places in a prompt, which rules and edits share."""

from .kinds import between as between
from .kinds import bidirectional as bidirectional
from .kinds import causal as causal
from .kinds import mutual as mutual
from .kinds import parallel as parallel
from .kinds import prefix as prefix
from .kinds import sinks as sinks
from .kinds import suppress as suppress
from .kinds import window as window
from .layers import around as around
from .layers import checked_code as checked_code
from .layers import codes as codes
from .layers import groups as groups
from .painted import cells as cells
from .painted import painted as painted
from .painted import resting as resting
from .painted import retouched as retouched
from .places import Where as Where
from .places import as_where as as_where
from .places import places_of as places_of
from .places import positions as positions
from .rule import DEEPEST as DEEPEST
from .rule import Rule as Rule
