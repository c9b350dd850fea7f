"""What a stranger installs: the two descriptions of the environment agree, and the wheel holds all it needs."""

import json
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib import metadata

import pytest
import yaml
from packaging.requirements import Requirement

from .house import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
OPTIONAL = PROJECT["optional-dependencies"]


def drift(environment: dict, project: dict) -> list[str]:
    """Where environment.yml says something else than pyproject.toml."""
    found = []
    if environment.get("name") != project["name"]:
        found.append(f"the environment is called {environment.get('name')}")
    plain = [line for line in environment["dependencies"] if isinstance(line, str)]
    [pip] = [line["pip"] for line in environment["dependencies"] if isinstance(line, dict)] or [[]]
    if f"python {project['requires-python']}" not in plain:
        found.append(f"python is not {project['requires-python']}")
    if extra := set(plain) - {f"python {project['requires-python']}", "pip"}:
        found.append(f"{extra} is said here and not in pyproject.toml")
    if pip != ["-e .[course]"]:
        found.append(f"pip installs {pip}")
    return found


def test_the_conda_environment_is_in_step():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text("utf-8"))
    assert drift(environment, PROJECT) == []
    assert "course" in OPTIONAL


def test_drift_is_found():
    wrong = {"name": "ctkt", "dependencies": ["python >=3.10", "pip", "numpy", {"pip": ["-e .[dev]"]}]}
    assert len(drift(wrong, PROJECT)) == 4


def test_the_pins_are_ones_that_pyproject_allows():
    pins = [
        Requirement(line) for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines() if line[:1].isalpha()
    ]
    pinned = {pin.name.lower().replace("_", "-"): str(pin.specifier).removeprefix("==") for pin in pins}
    for need in map(Requirement, [*PROJECT["dependencies"], *(line for extra in OPTIONAL.values() for line in extra)]):
        assert need.name.lower() in pinned, f"{need.name} has no pin in constraints.txt"
        assert need.specifier.contains(pinned[need.name.lower()]), f"{need} does not allow {pinned[need.name.lower()]}"


def unmet(needs: list[str]) -> list[str]:
    """What is asked for and not installed here, or in another version. The installed record of ctkit itself is not
    asked: where it is installed editable, that is as old as the last installation."""
    found = []
    for need in map(Requirement, needs):
        try:
            version = metadata.version(need.name)
        except metadata.PackageNotFoundError:
            found.append(f"{need} is not installed")
        else:
            if not need.specifier.contains(version, prereleases=True):
                found.append(f"{need.name} {version} is installed, not {need}")
    return found


def test_what_pyproject_asks_for_is_installed_here():
    assert unmet(PROJECT["dependencies"]) == [], "pyproject.toml changed: install ctkit again"


def test_what_is_not_installed_is_found():
    assert unmet(["no-such-package>=1", "numpy<1", "numpy>=1"]) == [
        "no-such-package>=1 is not installed",
        f"numpy {metadata.version('numpy')} is installed, not numpy<1",
    ]


def test_versions_agree():
    import ctkit

    cff = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert str(cff["version"]) == ctkit.__version__
    extension = json.loads((ROOT / "widgets" / "labextension" / "package.json").read_text("utf-8"))
    assert extension["version"] == ctkit.__version__
    assert f"## {ctkit.__version__}" in (ROOT / "CHANGELOG.md").read_text("utf-8")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    out = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert out.returncode == 0, out.stderr
    [path] = folder.glob("*.whl")
    return path


def test_the_wheel_holds_the_library_its_views_and_its_models(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    committed = {path.relative_to(ROOT).as_posix() for path in (ROOT / "ctkit").rglob("*.py")}
    committed |= {path.relative_to(ROOT).as_posix() for path in (ROOT / "ctkit" / "static").glob("*.*")}
    committed |= {p.relative_to(ROOT).as_posix() for p in (ROOT / "ctkit" / "jupyter").rglob("*.*") if p.is_file()}
    committed |= {f"ctkit/{p.relative_to(ROOT).as_posix()}" for p in (ROOT / "data").rglob("*") if p.is_file()}
    assert committed <= names | {name for name in committed if "/." in name}
    assert "ctkit/py.typed" in names
    strangers = {
        name for name in names if not re.match(r"ctkit(/|-[\d.]+\.(dist-info/|data/data/share/jupyter/))", name)
    }
    assert not strangers


def test_the_wheel_puts_the_extension_where_jupyter_looks(wheel):
    archive = zipfile.ZipFile(wheel)
    shared = {
        name.split("share/jupyter/labextensions/ctkit-lab/")[1]: archive.read(name)
        for name in archive.namelist()
        if "share/jupyter/labextensions/ctkit-lab/" in name
    }
    built = ROOT / "ctkit" / "jupyter" / "labextensions" / "ctkit-lab"
    ours = {path.relative_to(built).as_posix(): path.read_bytes() for path in built.rglob("*") if path.is_file()}
    install = (ROOT / "widgets" / "labextension" / "install.json").read_bytes()
    assert shared == {**ours, "install.json": install}
    assert "static/style.js" in ours


def test_the_wheel_works_where_the_repository_is_not(wheel, tmp_path):
    target = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(target)
    code = (
        f"import sys; sys.path[:0] = [{str(target)!r}]\n"
        "import ctkit; from ctkit.engine.shipped import data_root, shipped_names\n"
        "from ctkit.lab import course_root\n"
        "print(ctkit.__file__); print(data_root()); print(course_root()); print(*shipped_names())\n"
        "if shipped_names(): print(ctkit.run(ctkit.load(), ctkit.Prompt('Where is the key?')).next_tokens(k=1))\n"
    )
    out = subprocess.run([sys.executable, "-I", "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert out.returncode == 0, out.stderr
    where, data, course, *_ = out.stdout.splitlines()
    assert where.startswith(str(target))
    assert data == str(target / "ctkit" / "data") or not (ROOT / "data" / "manifest.json").exists()
    assert course == "None"
