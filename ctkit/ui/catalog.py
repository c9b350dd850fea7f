"""What the playground offers: models, examples, tasks, and the switches with their settings. Data, no behaviour."""

from typing import Any

from ..engine.lm import LM
from ..interventions import Direction
from ..tasks import get, names
from .examples import examples
from .models import choices
from .switches import switches


def catalog_of(lm: LM, directions: list[Direction], only: tuple[str, ...] = ()) -> dict[str, Any]:
    """Everything that the view needs to know once; of the switches `only` some, where it names them."""
    return {
        "model": {
            "name": lm.name,
            "n_layers": lm.n_layers,
            "n_heads": lm.n_heads,
            "d_model": lm.d_model,
            "device": lm.device,
            "dtype": str(getattr(lm.model, "dtype", "")).removeprefix("torch."),
            "context": lm.context or 0,
        },
        "choices": choices(),
        "examples": [example.to_data(lm, directions) for example in examples()],
        "tasks": [{"name": n, "title": get(n).title, "difficulties": list(get(n).difficulties)} for n in names()],
        "switches": [one for one in switches(lm, directions) if not only or one["id"] in only],
    }
