"""The Python in README.md and CONTRIBUTING.md runs, their links lead somewhere, their files and commands exist."""

import re
import subprocess

import pytest

from .house import ROOT

PAGES = ("README.md", "CONTRIBUTING.md")
BLOCKS = [
    (page, number, code)
    for page in PAGES
    for number, code in enumerate(re.findall(r"^```python\n(.*?)^```", (ROOT / page).read_text("utf-8"), re.M | re.S))
]


@pytest.mark.parametrize(("page", "number", "code"), BLOCKS, ids=[f"{page}-{number}" for page, number, _ in BLOCKS])
def test_the_code_of_a_page_runs(page, number, code, lm, capsys):
    from ctkit.interventions import Intervention

    known = dict(Intervention.known)
    try:
        exec(compile(code, f"{page}, block {number}", "exec"), {"__name__": page})
    finally:
        Intervention.known.clear()
        Intervention.known.update(known)


@pytest.mark.parametrize("page", PAGES)
def test_links_and_named_files_are_there(page):
    text = (ROOT / page).read_text("utf-8")
    targets = [link for link in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in link]
    targets += re.findall(r"`((?:ctkit|tests|widgets)/[\w./-]+)`", text)
    missing = [name for name in targets if not (ROOT / name).exists() and "NAME" not in name and "shush" not in name]
    assert not missing
    assert targets


def test_the_commands_of_the_readme_are_there():
    said = set(re.findall(r"(?:`|^)make ([a-z]+)", "\n".join((ROOT / page).read_text("utf-8") for page in PAGES), re.M))
    listed = subprocess.run(["make", "-pnq", "-f", "Makefile"], cwd=ROOT, capture_output=True, text=True).stdout
    assert {"lab", "test"} <= said
    assert not {word for word in said if not re.search(rf"^{word}:", listed, re.M)}


def test_the_readme_counts_the_families_as_the_table_does():
    import json

    table = json.loads((ROOT / "data" / "families.json").read_text("utf-8"))
    text = " ".join((ROOT / "README.md").read_text("utf-8").split())
    totals = table["totals"]
    assert f"Of the {len(table['classes'])} types of transformers {table['transformers']}" in text
    assert f"{totals['passed']} keep every law and {totals['passed with fallback']} more with a fallback" in text
    assert f"on {totals['in part']} some techniques are refused, and {totals['refused']} are refused as a whole" in text
    assert not totals.get("failed")
