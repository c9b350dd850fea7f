"""Where the models that come with ctkit are. Knows folders only."""

from pathlib import Path


def data_root() -> Path:
    """The folder `data`: beside the package in a checkout, inside it when installed from a wheel."""
    inside = Path(__file__).resolve().parents[1] / "data"
    return inside if inside.is_dir() else Path(__file__).resolve().parents[2] / "data"


def shipped_names() -> list[str]:
    """The names of the shipped models."""
    folder = data_root() / "models"
    return sorted(path.name for path in folder.iterdir() if (path / "config.json").is_file()) if folder.is_dir() else []


def shipped_path(name: str) -> Path | None:
    """The folder of a shipped model; None for any other name."""
    return data_root() / "models" / name if name in shipped_names() else None
