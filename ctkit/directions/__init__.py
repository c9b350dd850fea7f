"""Fitting steering directions, one file a method."""

from .clusters import Clusters as Clusters
from .clusters import fit_clusters as fit_clusters
from .features import Features as Features
from .features import fit_features as fit_features
from .fit import fit_direction as fit_direction
from .heads import HeadDirections as HeadDirections
from .heads import fit_heads as fit_heads
from .random import random_direction as random_direction
