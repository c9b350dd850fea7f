"""What lies in the folder `data`, with checksums. Knows files only."""

import hashlib
import json
from pathlib import Path

from ..engine.shipped import data_root, shipped_names, shipped_path
from ..errors import CtkitError, shown


def names() -> list[str]:
    """The names of the models in the box."""
    return shipped_names()


def model_path(name: str) -> Path:
    """The folder of a model in the box."""
    path = shipped_path(name)
    if path is None:
        raise CtkitError(
            f"the shipped model {shown(name)}", f"the models {', '.join(names()) or '(none)'}", "one of these names"
        )
    return path


def read() -> dict[str, dict[str, str]]:
    """The manifest: path inside `data` → its sha256 and the command that made it."""
    path = data_root() / "manifest.json"
    return json.loads(path.read_text()) if path.is_file() else {}


def verify() -> list[str]:
    """What is wrong with the data: files that are missing, changed, or not in the manifest. Empty when all is well."""
    root, listed = data_root(), read()
    problems = []
    for path, entry in listed.items():
        if not (root / path).is_file():
            problems.append(f"{path} is missing")
        elif digest(root / path) != entry["sha256"]:
            problems.append(f"{path} is not the file that {entry['made_by']!r} made")
    found = {path.relative_to(root).as_posix() for path in (root / "models").rglob("*") if path.is_file()}
    return problems + [f"{path} is not in the manifest" for path in sorted(found - set(listed))]


def record(name: str, made_by: dict[str, str], root: Path | None = None) -> None:
    """Write the checksums of a model's files. `made_by`: file name → command, "" for all other files."""
    root = root or data_root()
    path = root / "manifest.json"
    listed = json.loads(path.read_text()) if path.is_file() else {}
    kept = {key: value for key, value in listed.items() if not key.startswith(f"models/{name}/")}
    for file in sorted((root / "models" / name).iterdir()):
        entry = {"sha256": digest(file), "made_by": made_by.get(file.name, made_by[""])}
        kept[f"models/{name}/{file.name}"] = entry
    path.write_text(json.dumps(dict(sorted(kept.items())), indent=1) + "\n")


def record_file(path: Path, made_by: str) -> None:
    """Write the checksum of one file in `data`."""
    root = data_root()
    listed = read() | {path.relative_to(root).as_posix(): {"sha256": digest(path), "made_by": made_by}}
    (root / "manifest.json").write_text(json.dumps(dict(sorted(listed.items())), indent=1) + "\n")


def record_card(name: str) -> None:
    """Write the checksums of a shipped model's files after they were measured."""
    measured = dict.fromkeys(("card.md", "effects.json"), f"ctkit card {name}") | {"seeds.json": f"ctkit seeds {name}"}
    record(name, {"": f"ctkit train {name}", **measured})


def digest(path: Path) -> str:
    """The sha256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
