"""Reading the library's own sources: who imports whom, who does what only one file may do, what is undocumented.

Every function takes a module's name (as `engine.run`) and its parsed text, and returns findings: lines to read.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LIBRARY = ROOT / "ctkit"

_TOOLS = ["errors", "sentences", "prompt", "masks", "interventions", "engine"]
ALLOWED = {
    "errors": [],
    "sentences": [],
    "prompt": _TOOLS[:2],
    "masks": _TOOLS[:3],
    "tasks": _TOOLS[:3],
    "interventions": _TOOLS[:4],
    "engine": _TOOLS[:5],
    "families": _TOOLS,
    "directions": _TOOLS,
    "measures": [*_TOOLS, "tasks", "directions"],
    "zoo": [*_TOOLS, "tasks", "directions", "measures"],
    "plots": [*_TOOLS, "tasks", "directions", "measures", "zoo"],
    "ui": [*_TOOLS, "tasks", "directions", "measures", "zoo", "plots"],
    "doctor": [*_TOOLS, "tasks", "directions", "measures", "zoo", "plots", "ui"],
    "lesson": ["errors"],
    "lab": ["errors"],
    "cli": [*_TOOLS, "tasks", "directions", "measures", "zoo", "plots", "ui", "doctor", "lab", "families"],
}  # room → the rooms it may import from (besides itself); rooms not named here are nobody's to import

ARCHITECTURE = {
    "self_attn", "self_attention", "q_proj", "k_proj", "v_proj", "o_proj", "qkv_proj", "c_attn", "c_proj", "out_proj",
    "gate_proj", "up_proj", "down_proj", "embed_tokens", "wte", "wpe", "ln_f", "final_layernorm", "input_layernorm",
    "rotary_emb", "gpt_neox", "transformer", "can_record_outputs", "_can_record_outputs", "query_key_value",
}  # fmt: skip  # names of the parts of particular models


def modules() -> dict[str, ast.Module]:
    """Name (as `engine.run`) → syntax tree, for every module of the library."""
    return {dotted(path): ast.parse(path.read_text("utf-8")) for path in sorted(LIBRARY.rglob("*.py"))}


def dotted(path: Path) -> str:
    """`ctkit/engine/run.py` → `engine.run`; a package's `__init__` is the package."""
    parts = path.relative_to(LIBRARY).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(name: str, tree: ast.Module) -> Iterator[tuple[int, str]]:
    """(line, absolute dotted name) of everything imported anywhere in the module, for type checkers only or not."""
    package = (LIBRARY / name.replace(".", "/") / "__init__.py").is_file()
    here = ["ctkit", *name.split(".")] if name else ["ctkit"]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            up = node.level - 1 if package or not name else node.level
            base = here[: len(here) - up] if node.level else []
            module = [*base, *([node.module] if node.module else [])]
            yield from ((node.lineno, ".".join([*module, alias.name])) for alias in node.names)


def uphill(name: str, tree: ast.Module) -> list[str]:
    """Imports that do not go down the stairs."""
    room, found = name.split(".")[0], []
    if not room:  # ctkit/__init__.py re-exports from every room, lazily
        return []
    for line, target in imports(name, tree):
        parts = target.split(".")
        if parts[0] != "ctkit":
            continue
        goes_to = parts[1] if len(parts) > 1 else ""
        if goes_to in ("", "__version__") or (goes_to not in ALLOWED and room in ("doctor", "cli")):
            if room not in ("doctor", "cli", "ui"):
                found.append(f"{name}:{line} imports ctkit as a whole")
        elif goes_to != room and goes_to not in ALLOWED.get(room, []):
            found.append(f"{name}:{line} imports {target}")
    return found


def hooks(name: str, tree: ast.Module) -> list[str]:
    """Calls that register a hook, outside engine/hooks.py."""
    if name == "engine.hooks":
        return []
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    return [f"{name}:{c.lineno} {c.attr}" for c in calls if c.attr.startswith("register_") and c.attr.endswith("hook")]


def architectures(name: str, tree: ast.Module) -> list[str]:
    """Names of particular models' parts, outside engine/lm.py (as an attribute, or as a string that names one)."""
    if name == "engine.lm":
        return []
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in ARCHITECTURE:
            found.append(f"{name}:{node.lineno} .{node.attr}")
        elif (
            isinstance(node, ast.Constant) and isinstance(node.value, str) and ARCHITECTURE & set(node.value.split("."))
        ):
            found.append(f"{name}:{node.lineno} {node.value!r}")
    return found


def widgets(name: str, tree: ast.Module) -> list[str]:
    """Imports of anywidget or ipywidgets outside ui/."""
    if name.split(".")[0] == "ui":
        return []
    return [
        f"{name}:{line} {to}" for line, to in imports(name, tree) if to.split(".")[0] in ("anywidget", "ipywidgets")
    ]


def undocumented(name: str, tree: ast.Module) -> list[str]:
    """Public modules, classes, functions and methods without a docstring."""
    found = [] if ast.get_docstring(tree) or not tree.body else [f"{name} (the module)"]

    def visit(body: list[ast.stmt], prefix: str) -> None:
        for node in body:
            if not isinstance(node, ast.FunctionDef | ast.ClassDef) or node.name.startswith("_"):
                continue
            setter = any(isinstance(d, ast.Attribute) and d.attr == "setter" for d in node.decorator_list)
            if not ast.get_docstring(node) and not setter:
                found.append(f"{name}:{node.lineno} {prefix}{node.name}")
            if isinstance(node, ast.ClassDef):
                visit(node.body, f"{node.name}.")

    visit(tree.body, "")
    return found


def long(name: str, tree: ast.Module, module: int = 250, function: int = 40) -> list[str]:
    """Modules and functions that one does not read at one go. In functions, a text counts as one line."""
    last = max((node.end_lineno or 0 for node in tree.body), default=0)
    found = [f"{name}: {last} lines"] if last > module else []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = _span(node) + 1 - sum(_span(text) for text in _texts(node))
            if lines > function:
                found.append(f"{name}:{node.lineno} {node.name} has {lines} lines")
    return found


def _texts(tree: ast.AST) -> Iterator[ast.AST]:
    """The outermost strings, docstrings included."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str)):
            yield node
        else:
            yield from _texts(node)


def _span(node: ast.AST) -> int:
    return (node.end_lineno or node.lineno) - node.lineno


def habits(name: str, tree: ast.Module) -> list[str]:
    """Postponed annotations (they blind the shape checks), bare excepts, and exceptions that vanish."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "__future__":
            found.append(f"{name}:{node.lineno} from __future__")
        elif isinstance(node, ast.ExceptHandler):
            empty = all(isinstance(step, ast.Pass) for step in node.body)
            broad = node.type is None or (isinstance(node.type, ast.Name) and "Exception" in node.type.id)
            if node.type is None or (empty and broad):
                found.append(f"{name}:{node.lineno} an exception vanishes")
    return found
