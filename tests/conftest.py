"""What many tests share: the model in the box, loaded once, and a place for measured numbers in the summary."""

import pytest


@pytest.fixture(scope="session")
def lm():
    """The teaching model that comes with ctkit."""
    import ctkit as ct

    from .families import DEVICE

    return ct.load(device=DEVICE)


def pytest_terminal_summary(terminalreporter) -> None:
    """Print what tests measured, `record_property("measured", …)`, also when workers ran them."""
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.stats.get(kind, [])]
    lines = [
        value for report in reports for name, value in getattr(report, "user_properties", []) if name == "measured"
    ]
    if lines:
        terminalreporter.section("measured")
        terminalreporter.write_line("\n".join(lines))
