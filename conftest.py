"""How pytest runs the notebooks and the workers of a parallel run. Loaded before anything imports torch."""

import os

import pytest

import tests.shapes  # noqa: F401  (the type checker that pyproject.toml names; it must be there before ctkit is)

QUIET = {
    "HF_HUB_OFFLINE": "1",  # no test may need the network
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "TQDM_DISABLE": "1",
    "OMP_NUM_THREADS": "1",  # equal numbers on every machine, and workers that do not fight for cores
}
for name, value in QUIET.items():
    os.environ.setdefault(name, value)  # the notebooks' kernels inherit it


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The files that take longest, those that need a browser or a kernel, come first: with short ones at the end the
    workers of a parallel run end together."""
    long = [config.rootpath / "tests" / "browser", config.rootpath / "notebooks"]
    items.sort(key=lambda item: not any(folder in item.path.parents for folder in long))


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Give nbval its sanitising rules wherever pytest is started, and let it honour a closing semicolon."""
    if not getattr(config.option, "nbval", False):
        return
    config.option.nbval_sanitize_with = str(config.rootpath / "tests" / "nbval_sanitize.cfg")
    from nbval.kernel import RunningKernel

    def execute_cell_input(self, source: str, allow_stdin: bool | None = None) -> str:
        # as Jupyter does: with a history, in which `figure;` shows nothing
        return self.kc.execute(source, allow_stdin=allow_stdin, stop_on_error=False)

    RunningKernel.execute_cell_input = execute_cell_input
