"""The same pictures as the views, as matplotlib figures: for papers, for still notebooks, and where no browser is."""

from .analysis import concept_depth as concept_depth
from .analysis import decided as decided
from .analysis import lens as lens
from .analysis import peak_attention as peak_attention
from .analysis import residual_cross_entropy as residual_cross_entropy
from .analysis import rollout as rollout
from .effects import effect as effect
from .panel import effect_and_controls as effect_and_controls
from .panel import side_effect as side_effect
from .panel import side_effects as side_effects
from .panel import token_kl as token_kl
from .runs import attention as attention
from .runs import attention_difference as attention_difference
from .runs import comparison as comparison
from .runs import most_changed_head as most_changed_head
from .runs import next_tokens as next_tokens
from .steps import step_matrix as step_matrix
from .steps import steps as steps
from .style import Picture as Picture
from .thinking import engagement as engagement
from .thinking import thinking_time as thinking_time
