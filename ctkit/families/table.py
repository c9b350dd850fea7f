"""The table of all classes of causal language models: what became of each, in a file that others read."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from ..engine.shipped import data_root
from ..errors import CtkitError
from .verdict import Verdict

STATES = ("passed", "passed with fallback", "in part", "refused", "failed")


def kinds() -> list[str]:
    """Every type that transformers has a causal language model for, in order."""
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

    return sorted(MODEL_FOR_CAUSAL_LM_MAPPING_NAMES)


def chosen(names: Iterable[str]) -> list[str]:
    """These types, or all where none is named. Raises `CtkitError` for one that transformers does not have."""
    known, names = kinds(), sorted(set(names))
    for name in names:
        if name not in known:
            from difflib import get_close_matches

            near = get_close_matches(name, known, n=3) or known[:3]
            raise CtkitError(
                f"the type {name!r}", f"{len(known)} types of causal models, not this one", " or ".join(near)
            )
    return names or known


def row(verdict: Verdict, width: int = 100) -> str:
    """One line for a reader."""
    why = "; ".join(verdict.why)
    line = f"{verdict.kind:26} {verdict.model:34} {verdict.status:21} {why}"
    return line.rstrip() if len(line) <= width + 90 else line[: width + 89] + "…"


def totals(states: Iterable[str]) -> dict[str, int]:
    """How many ended how."""
    counts = Counter(states)
    return {state: counts[state] for state in STATES}


def version() -> str:
    """The version of transformers that is installed."""
    import transformers

    return transformers.__version__


def path() -> Path:
    """Where the table is kept."""
    return data_root() / "families.json"


def write(found: list[Verdict], to: Path | None = None) -> Path:
    """Write the table; the same verdicts always give the same bytes."""
    return _write([as_row(verdict) for verdict in found], to or path())


def renew(found: list[Verdict], to: Path | None = None) -> Path:
    """Write the table with these rows in place of the old ones. Raises `CtkitError` where the others are of another
    version of transformers."""
    to = to or path()
    of, rows = read(to)
    if of != version():
        found_here = f"a table of transformers {of}, and transformers {version()}"
        raise CtkitError("some rows of the table anew", found_here, "ctkit families, for all of them")
    fresh = {verdict.kind: as_row(verdict) for verdict in found}
    return _write([row for row in rows if row["kind"] not in fresh] + list(fresh.values()), to)


def read(source: Path | None = None) -> tuple[str, list[dict]]:
    """The version of transformers and the rows of the table as it was written."""
    table = json.loads((source or path()).read_text("utf-8"))
    return table["transformers"], table["classes"]


def as_row(verdict: Verdict) -> dict:
    """A verdict as the file keeps it: the techniques that work as a list, the others with why not."""
    data = asdict(verdict)
    techniques = data.pop("techniques")
    data["supports"] = [name for name, said in techniques.items() if said == "yes"]
    data["refuses"] = {name: said for name, said in techniques.items() if said != "yes"}
    return {key: value for key, value in data.items() if value or key in ("kind", "model", "status")}


def _write(rows: list[dict], to: Path) -> Path:
    table = {
        "made_by": "ctkit families",
        "transformers": version(),
        "totals": totals(row["status"] for row in rows),
        "classes": sorted(rows, key=lambda row: row["kind"]),
    }
    to.write_text(json.dumps(table, indent=1, ensure_ascii=False) + "\n", "utf-8")
    return to
