"""`import ctkit` costs nothing, and every public name is where the table says."""

import subprocess
import sys

import pytest

import ctkit as ct

HEAVY = ("torch", "transformers", "numpy", "matplotlib", "anywidget", "IPython")


def python(code: str) -> str:
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert out.returncode == 0, out.stderr
    return out.stdout.strip()


def test_importing_ctkit_loads_nothing_heavy():
    loaded = python(f"import ctkit, sys; print(*[name for name in {HEAVY} if name in sys.modules])")
    assert loaded == ""


def test_that_check_can_fail():
    assert "torch" in python(
        f"import ctkit, sys; ctkit.Mask; print(*[name for name in {HEAVY} if name in sys.modules])"
    )


def test_texts_and_tasks_need_no_torch():
    assert python("import ctkit, sys; ctkit.Prompt('a'); ctkit.tasks.names(); print('torch' in sys.modules)") == "False"


@pytest.mark.parametrize("name", [name for name in ct.__all__ if name != "__version__"])
def test_every_name_is_there(name):
    value = getattr(ct, name)
    assert getattr(value, "__name__", name).split(".")[-1] == name
    assert value.__doc__, f"ct.{name} has no docstring"


def test_the_names_are_listed_for_editors_as_for_python():
    import ast
    import pathlib

    tree = ast.parse(pathlib.Path(ct.__file__).read_text("utf-8"))
    [block] = [node for node in tree.body if isinstance(node, ast.If)]
    listed = {}
    for line in block.body:
        listed |= {alias.asname: "" if line.module is None else line.module for alias in line.names}
    assert listed == ct._HOME
    assert set(dir(ct)) == set(ct.__all__)


def test_a_wrong_name_says_what_is_close():
    with pytest.raises(AttributeError, match="did you mean Reread"):
        _ = ct.Rereading
    with pytest.raises(AttributeError, match="lists the names"):
        _ = ct.zzz
    assert not hasattr(ct, "nothing_like_it")


def test_how_long_the_first_load_takes(record_property, lm):
    code = "import time; t = time.perf_counter(); import ctkit; ctkit.load(); print(time.perf_counter() - t)"
    took = float(python(code))
    record_property("measured", f"import ctkit and ct.load() in a new Python: {took:.1f} s")
    assert took > 0
