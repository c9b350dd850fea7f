"""The command line that serves JupyterLab on the first lesson, on this machine only."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

HOME = Path(__file__).parent / "jupyter"  # for the lab: settings (no news, widgets kept in notebooks), our extension
FIRST = Path("notebooks") / "01-the-causal-mask.ipynb"


def course_root() -> Path | None:
    """The folder that holds notebooks/: the checkout this package is run from, else None."""
    root = Path(__file__).resolve().parents[1]
    return root if (root / FIRST.parent).is_dir() else None


def lab_command(root: Path, browser: bool, port: int | None, rest: list[str]) -> list[str]:
    """The words that start JupyterLab on `root`, opening the first lesson where there is one.

    It listens on 127.0.0.1, keeps Jupyter's token, and neither fetches news nor asks for updates: nothing leaves the
    machine. `rest` goes to JupyterLab as it is.
    """
    words = [sys.executable, "-m", "jupyterlab", "--ServerApp.ip=127.0.0.1", f"--ServerApp.root_dir={root}"]
    words += ["--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    words += ["--LabApp.extension_manager=readonly"]
    if (root / FIRST).is_file():
        words.append(f"--LabApp.default_url=/lab/tree/{FIRST.as_posix()}")
    if not browser:
        words.append("--no-browser")
    if port is not None:
        words.append(f"--ServerApp.port={port}")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        words.append("--allow-root")  # a container's only user; the server is reached from this machine alone
    return words + rest


def lab_environment(given: Mapping[str, str]) -> dict[str, str]:
    """The environment for it: as given, with the course's settings behind the user's own, and our extension.

    The extension is the one beside this file, also where an older copy was installed into the environment.
    Idle threads of a kernel sleep, unless the user wishes otherwise: where as many threads spin as there are cores, one
    more busy program on the machine makes a small model crawl.
    """
    ours = {name: _joined(given.get(name), str(HOME)) for name in ("JUPYTER_CONFIG_PATH", "JUPYTER_PATH")}
    return {"OMP_WAIT_POLICY": "PASSIVE", **given, **ours}


def _joined(given: str | None, ours: str) -> str:
    return os.pathsep.join([given, ours]) if given else ours
