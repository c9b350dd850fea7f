"""The committed front-end bundles are what the sources build, byte for byte, wherever they are built."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
WIDGETS = ROOT / "widgets"
STATIC = ROOT / "ctkit" / "static"
BUNDLES = ("playground.js", "playground.css", "more.js", "standalone.js", "standalone.html")
EXTENSION = ROOT / "ctkit" / "jupyter" / "labextensions" / "ctkit-lab"
LARGEST_JS = 120_000  # bytes; it is stored in every saved notebook, more.js is not
LARGEST_EXTENSION = 40_000


@pytest.fixture(scope="module")
def modules() -> Path:
    """The installed node_modules; installed now where they are missing and can be had."""
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.skip("no Node here: the committed bundles cannot be compared with a fresh build")
    folder = WIDGETS / "node_modules"
    if not (folder / "esbuild").is_dir():
        done = _run(["npm", "ci", "--workspaces=false", "--no-fund", "--no-audit", "--prefer-offline"], WIDGETS)
        if done.returncode:
            pytest.skip(f"npm ci did not work here: {done.stderr.strip()[-200:]}")
    return folder


def test_bundles_equal_a_fresh_build(modules, tmp_path):
    _built(WIDGETS, tmp_path)
    for name in BUNDLES:
        assert (tmp_path / name).read_bytes() == (STATIC / name).read_bytes(), (
            f"{name} is stale: run `npm run build` in widgets/"
        )


def test_bundles_do_not_depend_on_the_folder(modules, tmp_path):
    copy = tmp_path / "else" / "where"
    shutil.copytree(WIDGETS, copy, ignore=shutil.ignore_patterns("node_modules", "dist"))
    (copy / "node_modules").symlink_to(modules)
    _built(copy, tmp_path)
    for name in BUNDLES:
        assert (tmp_path / name).read_bytes() == (STATIC / name).read_bytes()


def test_bundle_is_small_and_asks_nobody():
    script = (STATIC / "playground.js").read_text()
    assert len(script.encode()) <= LARGEST_JS
    for text in (script, *((STATIC / name).read_text() for name in ("playground.css", "more.js"))):
        assert "http://" not in text and "https://" not in text and "innerHTML" not in text


def test_lock_file_names_no_registry():
    assert '"resolved": "http' not in (WIDGETS / "package-lock.json").read_text()


def test_traits_have_the_same_names_on_both_sides():
    import anywidget

    from ctkit.ui.playground import Playground

    text = (WIDGETS / "src" / "playground" / "types.ts").read_text()
    state = re.search(r"export interface State \{\n(.*?)\n\}", text, re.DOTALL).group(1)
    ours = set(Playground.class_traits(sync=True)) - set(anywidget.AnyWidget.class_traits(sync=True))
    assert {name for name in ours if not name.startswith("_")} == set(re.findall(r"^\t(\w+):", state, re.MULTILINE))


@pytest.fixture(scope="module")
def all_modules(modules) -> Path:
    """The same, with the many packages that only the JupyterLab extension is built from."""
    if not (modules / "@jupyter" / "builder").is_dir():
        if modules.is_symlink():
            pytest.skip("the packages of the JupyterLab extension are not installed: make labextension")
        done = _run(["npm", "install", "--no-fund", "--no-audit", "--prefer-offline"], WIDGETS)
        if done.returncode:
            pytest.skip(f"npm install did not work here: {done.stderr.strip()[-200:]}")
    return modules


def test_the_extension_equals_a_fresh_build_anywhere(all_modules, tmp_path):
    copy = tmp_path / "else" / "where" / "widgets"
    shutil.copytree(WIDGETS, copy, ignore=shutil.ignore_patterns("node_modules", "dist"))
    (copy / "node_modules").symlink_to(all_modules)
    done = _run(["npm", "run", "build"], copy / "labextension")
    assert done.returncode == 0, done.stderr
    assert _files(copy.parent / EXTENSION.relative_to(ROOT)) == _files(EXTENSION), "it is stale: make labextension"


def test_the_extension_is_small_and_asks_nobody():
    scripts = [data for name, data in _files(EXTENSION).items() if name.endswith(".js")]
    assert sum(map(len, scripts)) <= LARGEST_EXTENSION
    text = b"\n".join(scripts).replace(b"http://www.w3.org/2000/svg", b"")  # the name of a language, never asked for
    assert not any(word in text for word in (b"http://", b"https://", b"innerHTML"))


def test_types_of_the_extension(all_modules):
    done = _run(["npm", "run", "check"], WIDGETS / "labextension")
    assert done.returncode == 0, done.stdout


def test_front_end_types_and_tests_pass(modules):
    for command in (["npx", "tsc", "--noEmit"], ["npx", "vitest", "run"]):
        done = _run(command, WIDGETS)
        assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]


def _built(folder: Path, out: Path) -> None:
    done = _run(["node", "build.mjs", str(out)], folder)
    assert done.returncode == 0, done.stderr


def _files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _run(command: list[str], folder: Path) -> subprocess.CompletedProcess:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
