"""A real JupyterLab as `ctkit lab` starts it, with settings and files of its own and a watch on the network."""

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ctkit.lab import lab_command, lab_environment

from ..house import ROOT

TOKEN = "for-the-tests-only"
WATCH = '''
"""Written for one test run: notes every look for another machine, by the server and by the kernels."""
import os, socket

def note(host):
    if isinstance(host, bytes):
        host = host.decode()
    if host and not (host.startswith("127.") or host in ("localhost", "::1", "0.0.0.0", "::", socket.gethostname())):
        with open(os.environ["CTKIT_TEST_NETWORK_LOG"], "a") as log:
            log.write(f"{host}\\n")

def watched(ask):
    def look(host, *rest, **named):
        note(host)
        return ask(host, *rest, **named)
    return look

def connecting(ask):
    def connect(self, address):
        if self.family in (socket.AF_INET, socket.AF_INET6):
            note(address[0])
        return ask(self, address)
    return connect

socket.getaddrinfo = watched(socket.getaddrinfo)
socket.gethostbyname = watched(socket.gethostbyname)
socket.socket.connect = connecting(socket.socket.connect)
socket.socket.connect_ex = connecting(socket.socket.connect_ex)
'''


@dataclass(frozen=True)
class Lab:
    """A served JupyterLab: where it is, the folder it shows, and the file that lists looks for other machines."""

    url: str
    root: Path
    network_log: Path

    def address(self, notebook: str) -> str:
        """What to open for a notebook, in a fresh workspace."""
        return f"{self.url}/lab/tree/{notebook}?reset&token={TOKEN}"

    def outside(self) -> list[str]:
        """The other machines that the server or a kernel looked for."""
        return self.network_log.read_text().split() if self.network_log.exists() else []

    def ask(self, path: str, method: str = "GET", body: str | None = None) -> bytes:
        """An answer of the server's own interface."""
        request = urllib.request.Request(
            f"{self.url}{path}",
            data=None if body is None else body.encode(),
            method=method,
            headers={"Authorization": f"token {TOKEN}"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.read()

    def stop_kernels(self) -> None:
        """End every session, as they outlive their pages."""
        for session in json.loads(self.ask("/api/sessions")):
            self.ask(f"/api/sessions/{session['id']}", "DELETE")


@contextmanager
def serving(folder: Path, app: str = "jupyterlab") -> Iterator[Lab]:
    """JupyterLab, or "notebook", on a copy of the notebooks, until the block ends."""
    root, private = folder / "course", folder / "private"
    root.mkdir()
    if (ROOT / "notebooks").is_dir():
        ignore = shutil.ignore_patterns(".ipynb_checkpoints", "__pycache__")
        shutil.copytree(ROOT / "notebooks", root / "notebooks", ignore=ignore)
    (root / "notebooks").mkdir(exist_ok=True)
    (private / "watch").mkdir(parents=True)
    (private / "watch" / "sitecustomize.py").write_text(WATCH)
    port = free_port()
    words = [f"--{name}.expose_app_in_browser=True" for name in ("LabApp", "JupyterNotebookApp")]
    words += ["--ServerApp.port_retries=0", f"--IdentityProvider.token={TOKEN}"]
    command = [app if word == "jupyterlab" else word for word in lab_command(root, False, port, rest=words)]
    lab = Lab(f"http://127.0.0.1:{port}", root, private / "network.log")
    log = private / "lab.log"
    with log.open("w") as out:
        process = subprocess.Popen(command, cwd=root, env=surroundings(private), stdout=out, stderr=subprocess.STDOUT)
    try:
        wait_until_it_answers(lab, process, log)
        yield lab
        lab.stop_kernels()
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()


def surroundings(private: Path) -> dict[str, str]:
    """The environment of the server: nothing of the user's, and nothing left behind."""
    folders = {
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "IPYTHONDIR": "ipython",
    }
    ours = {name: str(private / folder) for name, folder in folders.items()}
    paths = [str(private / "watch"), *filter(None, [os.environ.get("PYTHONPATH")])]
    ours |= {"PYTHONPATH": os.pathsep.join(paths), "CTKIT_TEST_NETWORK_LOG": str(private / "network.log")}
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "OMP_", "PYTEST_"))}
    return lab_environment(kept | ours)  # as on a user's machine: no word to Hugging Face or to torch


def wait_until_it_answers(lab: Lab, process: subprocess.Popen, log: Path, seconds: float = 60) -> None:
    """Poll the server; say what it logged where it does not answer."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        try:
            lab.ask("/api/status")
            return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.2)
    raise RuntimeError(f"JupyterLab did not answer; its log:\n{log.read_text()[-4000:]}")


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
