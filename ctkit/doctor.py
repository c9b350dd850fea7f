"""What is installed, what is missing, and what to do about it: the rows of `ctkit doctor`. Tries things out."""

import json
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata, util
from pathlib import Path

from .errors import CtkitError

MARKS = {"ok": "✓", "broken": "✗", "absent": "·"}  # absent: optional, and not there
EXTENSION = "ctkit-lab"  # its name among JupyterLab's
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@dataclass(frozen=True)
class Row:
    """One finding: `state` is "ok", "broken" (with a remedy), or "absent" (optional and not there)."""

    name: str
    state: str
    said: str
    remedy: str = ""

    def __str__(self) -> str:
        line = f"{MARKS[self.state]} {self.name:<14} {self.said}"
        return f"{line}\n{'':17}try: {self.remedy}" if self.remedy else line


def find_browser() -> str | None:
    """The Chromium (or Chrome) that the browser tests would drive."""
    return next((path for path in map(shutil.which, BROWSERS) if path), None)


def examine() -> Iterator[Row]:
    """Every finding, in the order a reader wants them; one look that fails is a finding too."""
    for name, look in LOOKS.items():
        try:
            yield from look()
        except CtkitError as err:
            yield Row(name, "broken", err.found, err.remedy)
        except Exception as err:  # the doctor's whole task is to say what is wrong, in a line
            said = " ".join(f"{type(err).__name__}: {err}".split())
            yield Row(name, "broken", said[:200], "a new environment: `make clean lab`, or reinstall ctkit")


def _python() -> Iterator[Row]:
    yield Row("python", "ok", f"{sys.version.split()[0]} at {sys.prefix}")


def _packages() -> Iterator[Row]:
    """Every requirement of ctkit and of its course, against what is installed."""
    from packaging.requirements import Requirement

    from . import __version__

    try:
        wanted = [Requirement(line) for line in metadata.requires("ctkit") or []]
    except metadata.PackageNotFoundError:
        yield Row("ctkit", "broken", f"{__version__}, but not installed in this Python", "pip install -e '.[course]'")
        return
    yield Row("ctkit", "ok", f"{__version__} at {Path(__file__).parent}")
    for need in wanted:
        if need.marker and not need.marker.evaluate({"extra": "course"}):
            continue
        yield _package(need.name, str(need.specifier), need.specifier.contains)


def _package(name: str, specifier: str, fits: Callable[..., bool]) -> Row:
    try:
        version = metadata.version(name)
    except metadata.PackageNotFoundError:
        return Row(name, "broken", "not installed", f"pip install '{name}{specifier}'")
    if not fits(version, prereleases=True):
        return Row(name, "broken", f"{version}, but ctkit wants {specifier}", f"pip install '{name}{specifier}'")
    return Row(name, "ok", version)


def _device() -> Iterator[Row]:
    import torch

    if torch.cuda.is_available():
        sizes = [torch.cuda.get_device_properties(i) for i in range(torch.cuda.device_count())]
        yield Row("GPU", "ok", ", ".join(f"{gpu.name} ({gpu.total_memory / 2**30:.0f} GiB)" for gpu in sizes))
    elif torch.backends.mps.is_available():
        yield Row("GPU", "ok", "Apple, by device='mps'")
    else:
        yield Row(
            "GPU", "absent", f"none seen; the models in the box need none ({torch.get_num_threads()} CPU threads)"
        )


def _models() -> Iterator[Row]:
    from .zoo import manifest

    problems = list(manifest.verify())
    for problem in problems:
        yield Row("models", "broken", str(problem), "git checkout data/   (or reinstall ctkit)")
    if not manifest.names():
        yield Row("models", "broken", f"none in {manifest.data_root()}", "clone the whole repository, with its data/")
    elif not problems:
        yield Row("models", "ok", f"{', '.join(manifest.names())}: checksums hold")


def _load() -> Iterator[Row]:
    import ctkit as ct

    started = time.perf_counter()
    lm = ct.load()
    took = time.perf_counter() - started
    token, probability = ct.run(lm, ct.Prompt("Where is the key?")).next_tokens(k=1)[0]
    yield Row("first run", "ok", f"{lm.name} loaded in {took:.1f} s and goes on with {token!r} ({probability:.0%})")


def _widgets() -> Iterator[Row]:
    static = Path(__file__).parent / "static"
    missing = [name for name in ("playground.js", "playground.css", "more.js") if not (static / name).is_file()]
    if missing:
        yield Row(
            "views", "broken", f"{', '.join(missing)} not in {static}", "git checkout ctkit/static, or make widgets"
        )
    else:
        yield Row(
            "views", "ok", ", ".join(f"{p.name} {p.stat().st_size / 1000:.0f} kB" for p in sorted(static.glob("*.*s")))
        )


def _jupyter() -> Iterator[Row]:
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_core.paths import jupyter_path

    needed = {"ipywidgets": "@jupyter-widgets/jupyterlab-manager", "anywidget": "anywidget"}
    for name, folder in needed.items():
        if not any((Path(place) / folder / "package.json").is_file() for place in jupyter_path("labextensions")):
            yield Row("lab side", "broken", f"JupyterLab does not see {name}", f"pip install --force-reinstall {name}")
            return
    kernel = KernelSpecManager().find_kernel_specs().get("python3")
    if kernel is None:
        yield Row("kernel", "broken", "no kernel called python3", "python -m ipykernel install --sys-prefix")
    else:
        yield Row("lab side", "ok", "JupyterLab sees the widgets and the kernel python3")


def _extension() -> Iterator[Row]:
    from jupyter_core.paths import jupyter_path
    from jupyterlab_server.config import get_page_config

    ours = Path(__file__).parent / "jupyter" / "labextensions" / EXTENSION / "package.json"
    if not ours.is_file():
        yield Row("extension", "broken", f"not in {ours.parent}", "git checkout ctkit/jupyter   (or reinstall ctkit)")
        return
    build = json.loads(ours.read_text("utf-8"))["jupyterlab"]["_build"]["load"]
    page = get_page_config(jupyter_path("labextensions"))
    installed = {found["name"]: found["load"] for found in page["federated_extensions"]}
    again = "install ctkit again, as the first time"
    if any(name.split(":")[0] == EXTENSION for name in page["disabledExtensions"]):
        yield Row("extension", "broken", "disabled in JupyterLab", f"jupyter labextension enable {EXTENSION}")
    elif EXTENSION not in installed:
        yield Row("extension", "absent", "seen by `ctkit lab`, not by JupyterLab started otherwise", again)
    elif installed[EXTENSION] != build:
        yield Row("extension", "absent", "new in `ctkit lab`, an older copy in JupyterLab started otherwise", again)
    else:
        yield Row("extension", "ok", "enabled in JupyterLab: launcher, lessons, Help, settings")


def _optional() -> Iterator[Row]:
    browser, node = find_browser(), shutil.which("node")
    yield Row("Chromium", "ok" if browser else "absent", browser or "not found; only the browser tests need it")
    yield Row("Node.js", "ok" if node else "absent", node or "not found; only changing the views needs it")
    if util.find_spec("accelerate") is None:
        yield Row("accelerate", "absent", "not installed; only models spread over several GPUs need it")


LOOKS = {
    "python": _python,
    "packages": _packages,
    "GPU": _device,
    "models": _models,
    "first run": _load,
    "views": _widgets,
    "lab side": _jupyter,
    "extension": _extension,
    "optional": _optional,
}


def verdict(rows: list[Row]) -> str:
    """The last line: whether anything that is needed is broken."""
    broken = [row.name for row in rows if row.state == "broken"]
    if not broken:
        return "all is well: `ctkit lab` opens the course"
    return f"broken: {', '.join(dict.fromkeys(broken))}"
