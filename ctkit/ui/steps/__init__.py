"""The steps view: which thought is measured, what the answer is after it, what each of its steps does to it."""

from .part import Measuring as Measuring
from .part import steps_of as steps_of
from .told import given as given
