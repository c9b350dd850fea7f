"""What many tests share: the models, loaded once."""

import pytest


@pytest.fixture(scope="session")
def lm():
    """The teaching model that comes with ctkit."""
    import ctkit as ct

    from ctkit.engine.shipped import shipped_path

    if shipped_path("tiny") is None:
        pytest.skip("the teaching model is not in data/models yet")
    return ct.load()
