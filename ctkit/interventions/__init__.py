"""The techniques, one file each. To add one, see base.py and CONTRIBUTING.md."""

from .base import Intervention as Intervention
from .corrupt import Noise as Noise
from .corrupt import Swap as Swap
from .direction import Direction as Direction
from .echo import Echo as Echo
from .emphasize import Emphasize as Emphasize
from .fixed_prefix import FixedPrefix as FixedPrefix
from .mask import Knockout as Knockout
from .mask import Mask as Mask
from .mask import MaskGroups as MaskGroups
from .patch import Activation as Activation
from .patch import Patch as Patch
from .permute import Permute as Permute
from .pine import Pine as Pine
from .prepend import PrependToken as PrependToken
from .reread import Reread as Reread
from .setup import Setup as Setup
from .setup import as_setup as as_setup
from .split import Split as Split
from .steer import Steer as Steer
from .steer_clusters import SteerClusters as SteerClusters
from .steer_heads import SteerHeads as SteerHeads
from .think import Think as Think
