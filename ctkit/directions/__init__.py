"""Fitting steering directions, one file a method."""

from .fit import fit_direction as fit_direction
