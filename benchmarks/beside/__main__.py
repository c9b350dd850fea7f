"""The table: for each model the jobs by library, as ratios, after each library's numbers were found the same."""

import argparse
import logging
import os
import sys
import warnings
from importlib.metadata import version
from typing import Any

import torch

from .case import Case, cases
from .jobs import JOBS, TOLERANCE, Job, bases
from .measure import Cell, measured
from .memory import memory_report
from .own import own_report
from .timing import CLOCKS
from .ways import NAMES, way

PACKAGES = ("torch", "transformers", "transformer-lens", "nnsight", "pyvene", "steering-vectors")


def main() -> None:
    options = _options()
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    os.environ.setdefault("TQDM_DISABLE", "1")
    said = f"one thread, float32, up to {options.pairs} pairs, {options.clock} time"
    print(", ".join(f"{name} {version(name)}" for name in PACKAGES), said, sep="\n")
    print("baukit has no release on the package index; what it does is the column of torch hooks")
    for case, share in cases():
        if options.models and not any(word in case.name for word in options.models):
            continue
        print(f"\n## {case.name}\n")
        _table(case, share, options)
    if "memory" in options.jobs:
        print("\n## Memory\n")
        print(memory_report())


def _options() -> argparse.Namespace:
    names = [job.name for job in JOBS]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.beside", description=__doc__)
    parser.add_argument("--pairs", type=int, default=40)
    parser.add_argument("--clock", choices=CLOCKS, default="cpu")
    parser.add_argument("--jobs", nargs="+", default=[*names, "memory"], choices=[*names, "memory"])
    parser.add_argument("--libraries", nargs="+", default=list(NAMES), choices=NAMES)
    parser.add_argument("--models", nargs="+", default=[], help='words of their names, such as "Llama"')
    return parser.parse_args()


def _table(case: Case, share: int, options: argparse.Namespace) -> None:
    torch.set_grad_enabled(True)
    reference = way("hooks")(case)
    beside = bases(case, reference)
    jobs = [job for job in JOBS if job.name in options.jobs]
    right = {job.name: _right(case, reference, job) for job in jobs}
    cells: dict[tuple[str, str], Cell] = {}
    own = ""
    for name in options.libraries:
        try:
            library: Any = reference if name == "hooks" else way(name)(case)
        except Exception as err:  # a peer that breaks is a finding, told in its column
            cells |= {(job.name, name): Cell(failed=f"{type(err).__name__}: {err}") for job in jobs}
            continue
        for job in jobs:
            if share > 1 and job.weight > 1 and name != "ctkit":  # minutes, to say what the smaller model has said
                cells[job.name, name] = Cell()
                continue
            pairs = max(5, options.pairs // (share * max(1, job.weight // 4)))
            base = beside[job.base]
            print(f"… {NAMES[name]}: {job.title}", file=sys.stderr, flush=True)
            cells[job.name, name] = measured(library, job, right[job.name], base, pairs, options.clock)
        if name == "ctkit":
            own = own_report(library, max(8, options.pairs // share), options.clock)
        del library
    _print(jobs, options.libraries, cells)
    print(f"\n{own}")


def _right(case: Case, reference: Any, job: Job) -> Any:
    if job.name == "idle":
        return case.logits
    answer = getattr(reference, job.name)()
    return [call() for call in answer] if job.name == "switch" else answer


def _print(jobs: list[Job], libraries: list[str], cells: dict[tuple[str, str], Cell]) -> None:
    rows = [["job", "beside", "goal", *(NAMES[name] for name in libraries)]]
    for job in jobs:
        of_job = [cells[job.name, name] for name in libraries]
        rows.append([job.title, job.base, job.goal, *(cell.ratio_text for cell in of_job)])
        if job.name == "switch":
            rows.append(["… beside the forward, in ms", "", "≤ 1", *(cell.outside_text for cell in of_job)])
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for n, row in enumerate(rows):
        print("| " + " | ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) + " |")
        if n == 0:
            print("|" + "|".join("-" * (width + 2) for width in widths) + "|")
    for job in jobs:
        base = next((c.ratio for name in libraries if (c := cells[job.name, name]).ratio), None)
        apart = ", ".join(f"{NAMES[n]} {c.apart:.0e}" for n in libraries if (c := cells[job.name, n]).apart is not None)
        if base is not None:
            print(f"- {job.title}: {job.base} {base.base:.1f} ms; apart from the reference: {apart}")
    print(f"- asserted before timing: apart by at most {TOLERANCE:.0e} standard deviations; tokens all the same")
    for (job, name), cell in cells.items():
        if cell.failed:
            print(f"- {NAMES[name]}, {job}: failed: {cell.failed}")


if __name__ == "__main__":
    main()
