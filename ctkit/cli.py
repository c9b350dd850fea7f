"""The command `ctkit`, a word for each thing it does. Each word imports what it needs when it is used."""

import argparse
import os
import sys
from typing import Any

from . import __version__
from .errors import CtkitError


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 something needed is broken, 2 the request was wrong."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal without ✓ still gets its lines
    given, rest = parser().parse_known_args(argv)
    if rest and given.run is not lab:
        parser().error(f"unknown words: {' '.join(rest)}")
    given.rest = [word for word in rest if word != "--"]
    try:
        return given.run(given)
    except CtkitError as err:
        print(err, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130


def parser() -> argparse.ArgumentParser:
    """The words that `ctkit` understands."""
    top = argparse.ArgumentParser(prog="ctkit", description="See how causal transformers read and reason.")
    top.add_argument("--version", action="version", version=f"ctkit {__version__}")
    words = top.add_subparsers(title="commands", metavar="COMMAND", required=True)

    word = words.add_parser("doctor", help="what is installed, whether it works, what to do where it does not")
    word.set_defaults(run=doctor)

    word = words.add_parser("lab", help="JupyterLab on the first lesson; further words go to JupyterLab")
    word.add_argument("--no-browser", action="store_true", help="only serve, and print the address")
    word.add_argument("--port", type=int, help="the port to serve on (default: the first free one from 8888)")
    word.set_defaults(run=lab)

    word = words.add_parser("export", help="the playground as one HTML file, for readers without Python")
    word.add_argument("path", help="the file to write, for example playground.html")
    word.add_argument("--model", default="tiny", help="its name, a folder or a hub id (default: tiny)")
    word.set_defaults(run=export)

    word = words.add_parser("train", help="train a teaching model again, as the one in the box was made")
    word.add_argument("name", help="its name, for example tiny")
    word.add_argument(
        "--seed", type=int, help="another seed: the model stays in runs/NAME-SEED, the one in the box too"
    )
    word.set_defaults(run=train)

    word = words.add_parser("card", help="measure a teaching model and write its card")
    word.add_argument("name", help="its name, for example tiny")
    word.add_argument("sections", nargs="*", help="measure these sections only, for example steps")
    word.set_defaults(run=card)

    word = words.add_parser("seeds", help="measure a teaching model beside runs from other seeds, for its card")
    word.add_argument("name", help="its name, for example tiny")
    word.set_defaults(run=seeds)

    _add_families(words)
    return top


def _add_families(words: Any) -> None:
    word = words.add_parser("families", help="test every class of causal models in transformers against ctkit's laws")
    word.add_argument(
        "names", nargs="*", help="only these types, for example llama bloom; without --write only printed"
    )
    word.add_argument("--write", action="store_true", help="renew the rows of the types that are named")
    word.add_argument("--jobs", type=int, default=1, help="how many processes at a time (default: 1)")
    word.add_argument("--seconds", type=float, default=300, help="the limit for one class (default: 300)")
    word.set_defaults(run=families)


def doctor(given: argparse.Namespace) -> int:
    """Print a line for each thing that ctkit needs or can use."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")  # what is not here is missing: looking elsewhere is no examination
    from .doctor import examine, verdict

    rows = []
    for row in examine():
        print(row, flush=True)
        rows.append(row)
    print(f"\n{verdict(rows)}")
    return int(any(row.state == "broken" for row in rows))


def lab(given: argparse.Namespace) -> int:
    """Become JupyterLab, so that stopping this process stops it."""
    from importlib.util import find_spec
    from pathlib import Path

    from .lab import course_root, lab_command, lab_environment

    if find_spec("jupyterlab") is None:
        raise CtkitError("JupyterLab", "a Python without it", "pip install 'ctkit[course]'")
    root = course_root()
    if root is None:
        print("The lessons are not beside this installation; JupyterLab opens this folder instead. They are in the")
        print(
            "notebooks/ folder of the ctkit repository. In any notebook: import ctkit as ct; ct.Playground()",
            flush=True,
        )
    command = lab_command(root or Path.cwd(), not given.no_browser, given.port, given.rest)
    if os.name == "nt":  # no exec there
        import subprocess

        return subprocess.run(command, env=lab_environment(os.environ), check=False).returncode
    sys.stdout.flush()
    os.execve(command[0], command, lab_environment(os.environ))


def export(given: argparse.Namespace) -> int:
    """Write the playground, with each switch recorded, as one page that needs no kernel and no network."""
    from .engine.load import load
    from .ui.playground import Playground

    print(f"wrote {Playground(load(given.model)).to_html(given.path)}")
    return 0


def train(given: argparse.Namespace) -> int:
    """Train the model and write it, with the record of its training."""
    from .zoo.train import train, train_seed

    print(f"wrote {train(given.name) if given.seed is None else train_seed(given.name, given.seed)}")
    return 0


def card(given: argparse.Namespace) -> int:
    """Measure the model and write its card."""
    from .zoo.card import card

    print(f"wrote {card(given.name, sections=given.sections)}")
    return 0


def seeds(given: argparse.Namespace) -> int:
    """Measure the runs from other seeds, and write the card anew."""
    from .zoo.card import write
    from .zoo.manifest import record_card
    from .zoo.seeds import seeds

    path = seeds(given.name)
    write(path.parent)
    record_card(given.name)
    print(f"wrote {path}")
    return 0


def families(given: argparse.Namespace) -> int:
    """Examine each class, a line for each as it ends, and write the table of all."""
    from .families import table, workers

    names, found = table.chosen(given.names), []
    for verdict in workers.verdicts(names, given.jobs, given.seconds):
        found.append(verdict)
        print(f"{len(found):3}/{len(names)} {table.row(verdict)}", flush=True)
    states = table.totals(verdict.status for verdict in found)
    print("  ".join(f"{state}: {count}" for state, count in states.items()))
    if not given.names or given.write:
        from .zoo.manifest import record_file

        record_file(table.renew(found) if given.names else table.write(found), "ctkit families")
        print(f"wrote {table.path()}")
    return int(any(verdict.status == "failed" for verdict in found))


if __name__ == "__main__":
    sys.exit(main())
