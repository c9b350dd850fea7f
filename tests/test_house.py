"""The rules of the house: imports go down, each door has one keeper, what is public is explained by true examples."""

import ast
import doctest
import importlib
import re
import subprocess

import pytest

from . import house

MODULES = house.modules()
RULES = [
    house.uphill,
    house.hooks,
    house.architectures,
    house.widgets,
    house.undocumented,
    house.long,
    house.habits,
]
BROKEN = {
    # rule → modules, by name and text, in which it must find something
    "uphill": [
        ("prompt", "from .engine.run import run"),
        ("engine.run", "from ..measures import compare"),
        ("engine.run", "from ctkit.ui.playground import Playground"),
        ("tasks.hunt", "from ..engine import lm"),
        ("masks.kinds", "from .. import interventions"),
        ("engine.lm", "def late():\n    import ctkit.zoo.manifest"),
        ("measures.steps", "import ctkit as ct"),
        ("engine", "from ..plots import bars"),
        ("attic", "from .errors import CtkitError"),
    ],
    "hooks": [
        ("ui.base", "block.register_forward_hook(f)"),
        ("engine.lm", "def f(m):\n    m.register_forward_pre_hook(g, prepend=True)"),
    ],
    "architectures": [
        ("engine.run", "model.model.layers[0].self_attn"),
        ("measures.heads", "getattr(model, 'gpt_neox')"),
        ("engine.attention", "names = ['model.embed_tokens']"),
    ],
    "widgets": [("plots", "import anywidget"), ("measures.effect", "from ipywidgets import VBox")],
    "undocumented": [
        ("a", "import os"),
        ("a", '"""Doc."""\ndef f(): ...'),
        ("a", '"""Doc."""\nclass A:\n    "Doc."\n    def f(self): ...'),
    ],
    "long": [("a", '"""Doc."""\n' + "x = 1\n" * 260), ("a", "def f():\n    '''a\\nb\\n'''\n" + "    x = 1\n" * 60)],
    "habits": [
        ("a", "from __future__ import annotations"),
        ("a", "try:\n    f()\nexcept:\n    g()"),
        ("a", "try:\n    f()\nexcept Exception:\n    pass"),
    ],
}
TEXT = {".py", ".md", ".toml", ".yml", ".cff", ".cfg", ".ts", ".mjs", ".css", ".ipynb", ".json", ".txt", ""}
MACHINE = re.compile(r"(?<![\w.])/(work|farm|root|home|Users|tmp)/[\w.-]+")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_library_keeps_the_rule(rule):
    found = [line for name, tree in MODULES.items() for line in rule(name, tree)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(("rule", "name", "text"), [(r, *case) for r, cases in BROKEN.items() for case in cases])
def test_the_rule_can_be_broken(rule, name, text):
    assert getattr(house, rule)(name, ast.parse(text))


def test_imports_that_go_down_are_found_in_order():
    tree = ast.parse("from ..prompt import Prompt\nfrom .lm import LM\nimport torch\nfrom .. import masks")
    assert not house.uphill("engine.run", tree)
    assert [to for _, to in house.imports("engine.run", tree)] == [
        "ctkit.prompt.Prompt",
        "ctkit.engine.lm.LM",
        "torch",
        "ctkit.masks",
    ]
    init = ast.parse("from .base import Intervention")
    assert [to for _, to in house.imports("interventions", init)] == ["ctkit.interventions.base.Intervention"]


def test_every_room_has_its_place():
    rooms = {name.split(".")[0] for name in MODULES} - {""}
    assert not rooms - set(house.ALLOWED), "a new room: say in tests/house.py what it may import"


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_in_docstrings_are_true(name):
    module = importlib.import_module(f"ctkit.{name}".rstrip("."))
    failed, tried = doctest.testmod(module, optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    assert not failed, f"{failed} of {tried} examples of ctkit.{name} failed; pytest shows them above"


def tracked() -> list:
    """The files of the repository, or none where git is not there to tell."""
    out = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=house.ROOT, capture_output=True, text=True
    )
    return [path for line in out.stdout.splitlines() if (path := house.ROOT / line).is_file() and path.suffix in TEXT]


def test_no_file_names_a_folder_of_one_machine():
    found = []
    for path in tracked():
        if path.stat().st_size < 2_000_000 and path.name != "package-lock.json":
            found += [f"{path.name}: {hit[0]}" for hit in MACHINE.finditer(path.read_text("utf-8", errors="replace"))]
    assert not found, "\n".join(found)
    assert MACHINE.search("open('/" + "home/ada/ctkit')")
    assert not MACHINE.search("https://example.org/" + "home/x and data/" + "tmp/y")


def test_a_warning_from_the_library_is_an_error():
    with pytest.raises(DeprecationWarning, match="old"):
        exec("import warnings; warnings.warn('old', DeprecationWarning)", {"__name__": "ctkit.engine.run"})
    with pytest.warns(DeprecationWarning, match="old"):
        exec("import warnings; warnings.warn('old', DeprecationWarning)", {"__name__": "somebody.else"})
