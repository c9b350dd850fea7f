"""The same pictures as the views, as matplotlib figures: for papers, for still notebooks, and where no browser is."""

from .effects import effect as effect
from .effects import steps as steps
from .runs import attention as attention
from .runs import attention_difference as attention_difference
from .runs import comparison as comparison
from .runs import most_changed_head as most_changed_head
from .runs import next_tokens as next_tokens
from .style import Picture as Picture
