"""How each library does the jobs: one file a library, one method a job; a job that is missing it cannot do."""

from importlib import import_module

# file → the library's name as in the table; the first is the reference that the others are compared with
NAMES = {
    "hooks": "torch hooks",
    "ctkit": "ctkit",
    "eager": "transformers",
    "transformer_lens": "TransformerLens",
    "nnsight": "nnsight",
    "pyvene": "pyvene",
    "steering_vectors": "steering-vectors",
}


def way(name: str):
    """The class `Way` of one library, imported when its turn comes: some change torch or transformers on import."""
    return import_module(f".{name}", __name__).Way
