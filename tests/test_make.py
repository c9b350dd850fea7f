"""The two commands on machines that lack something: a sentence that helps, not a page of errors."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from .house import ROOT

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="no make on this machine")


def make(*words: str, path: Path | None = None) -> subprocess.CompletedProcess:
    """Run make on an environment of its own, as if called by a person."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    if path is not None:
        env["PATH"] = str(path)
    return subprocess.run([shutil.which("make"), *words], cwd=ROOT, env=env, capture_output=True, text=True, timeout=60)


@pytest.fixture
def tools(tmp_path):
    """A machine with a shell's tools and whatever Python a test puts there."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("sh", "echo", "grep", "sed", "id", "env", "touch"):
        (folder / name).symlink_to(shutil.which(name))
    return folder


def python(folder: Path, name: str, script: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def test_help_lists_the_commands():
    said = make("help").stdout
    assert all(
        f"make {word} " in said
        for word in ("lab", "test", "lint", "widgets", "labextension", "models", "bench", "clean")
    )


def test_no_python(tools, tmp_path):
    out = make("lab", f"VENV={tmp_path}/venv", path=tools)
    assert out.returncode == 2
    assert "Python 3.11 or newer, and none was found" in out.stdout


def test_only_an_old_python(tools, tmp_path):
    python(tools, "python3", 'case "$2" in *version_info*) exit 1;; esac; exit 0')
    assert "none was found" in make("lab", f"VENV={tmp_path}/venv", path=tools).stdout


def test_a_newer_python_beside_an_old_one_is_taken(tools, tmp_path):
    python(tools, "python3", "exit 1")
    python(tools, "python3.12", 'case "$2" in *ensurepip*) exit 1;; esac; exit 0')
    out = make("test", f"VENV={tmp_path}/venv", path=tools)
    assert "cannot make environments" in out.stdout
    assert "python3-venv" in out.stdout
    assert not (tmp_path / "venv").exists()


def test_the_environment_is_made_once(tmp_path):
    bin_ = tmp_path / "venv" / "bin"
    bin_.mkdir(parents=True)
    python(bin_, "python", f'echo "pip $*" >> {tmp_path}/log')
    python(bin_, "ctkit", f'echo "ctkit $*" >> {tmp_path}/log')
    for _ in range(2):
        assert make("lab", "ARGS=--no-browser", f"VENV={tmp_path}/venv").returncode == 0
    lines = (tmp_path / "log").read_text().splitlines()
    assert [line.split()[0] for line in lines] == ["pip", "ctkit", "ctkit"]
    assert lines[0].endswith("-c constraints.txt -qq -e .[course]")
    assert lines[1] == "ctkit lab --no-browser"


def test_without_a_browser_or_a_way_to_get_one(tools):
    out = subprocess.run(
        ["/bin/sh", ".ci/chromium"], cwd=ROOT, env={"PATH": str(tools)}, capture_output=True, text=True
    )
    assert out.returncode == 1
    assert "the browser tests will be skipped" in out.stdout
