"""Accuracy against the tokens that are spent on it: more thoughts, shorter or longer ones, hints."""

from .hints import marginalise as marginalise
from .measure import thinking_time as thinking_time
from .result import Spending as Spending
from .result import Spent as Spent
