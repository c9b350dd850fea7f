"""The command `ctkit`: quick to ask, honest about what is broken, and never a traceback."""

import importlib
import json
import os
import subprocess
import sys

import pytest

from ctkit import cli, doctor
from ctkit import lab as lab_module
from ctkit.errors import CtkitError
from ctkit.ui.share import START


def ctkit(*words: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-m", "ctkit.cli", *words], capture_output=True, text=True, timeout=120)


def test_help_names_every_command_and_imports_nothing_heavy():
    code = "import sys; from ctkit import cli; cli.parser().format_help(); "
    code += "print('torch' in sys.modules, 'argparse' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert out.stdout.split() == ["False", "True"]
    shown = ctkit("--help").stdout
    assert all(word in shown for word in ("doctor", "lab", "train", "card"))


def test_a_wrong_word_is_refused():
    out = ctkit("dactor")
    assert out.returncode == 2
    assert "Traceback" not in out.stderr
    assert ctkit("doctor", "--loudly").returncode == 2


def test_the_version():
    import ctkit as ct

    assert ctkit("--version").stdout.strip() == f"ctkit {ct.__version__}"


def test_a_mistake_is_three_lines_and_exit_code_2(monkeypatch, capsys):
    def refuse(given):
        raise CtkitError("the model 'tinny'", "the models tiny", "one of them")

    monkeypatch.setattr(cli, "train", refuse)
    assert cli.main(["train", "tinny"]) == 2
    assert capsys.readouterr().err.splitlines() == [
        "asked for the model 'tinny'",
        "  found: the models tiny",
        "  try:   one of them",
    ]


@pytest.mark.parametrize("word", ["train", "card"])
def test_an_unknown_model_is_refused_by_name(word, capsys):
    assert cli.main([word, "no-such-model"]) == 2
    assert "no-such-model" in capsys.readouterr().err


@pytest.mark.parametrize("word", ["train", "card"])
def test_what_was_written_is_said(word, monkeypatch, capsys):
    module = importlib.import_module(f"ctkit.zoo.{word}")
    monkeypatch.setattr(module, word, lambda name, **options: f"models/{name}")
    assert cli.main([word, "tiny"]) == 0
    assert capsys.readouterr().out == "wrote models/tiny\n"


def test_a_card_without_such_a_section(capsys):
    assert cli.main(["card", "tiny", "stepps"]) == 2
    assert "'stepps'" in capsys.readouterr().err


def test_export_writes_a_page_that_stands_alone(tmp_path, lm, capsys, monkeypatch):
    monkeypatch.setitem(START, "n", 20)  # with all 200 problems: tests/test_export.py
    path = tmp_path / "page.html"
    assert cli.main(["export", str(path)]) == 0
    assert capsys.readouterr().out == f"wrote {path}\n"
    assert "<html" in path.read_text("utf-8")
    assert cli.main(["export", str(tmp_path / "no" / "such" / "folder" / "page.html")]) == 2
    assert cli.main(["export", str(path), "--model", str(tmp_path)]) == 2


def test_doctor_lists_what_is_there(capsys):
    code = cli.main(["doctor"])
    said = capsys.readouterr().out
    for name in (
        "python",
        "torch",
        "transformers",
        "jupyterlab",
        "anywidget",
        "GPU",
        "models",
        "lab side",
        "extension",
        "Chromium",
        "Node.js",
    ):
        assert name in said
    assert code == int("✗" in said)


def test_doctor_on_a_broken_machine(monkeypatch, capsys):
    def burst():
        raise RuntimeError("two\n  lines")
        yield

    def refuse():
        raise CtkitError("the model 'tiny'", "an empty folder", "clone again")
        yield

    rows = [doctor.Row("fine", "ok", "there"), doctor.Row("extra", "absent", "not there")]
    monkeypatch.setattr(doctor, "LOOKS", {"a": lambda: rows, "b": burst, "c": refuse})
    assert cli.main(["doctor"]) == 1
    said = capsys.readouterr().out
    assert "✓ fine" in said
    assert "· extra" in said
    assert "✗ b" in said
    assert "RuntimeError: two lines" in said
    assert "an empty folder" in said
    assert "try: clone again" in said
    assert said.rstrip().endswith("broken: b, c")


def test_doctor_names_a_missing_and_an_outdated_package():
    missing = doctor._package("no-such-package-here", ">=1", lambda v, prereleases: True)
    assert missing.state == "broken"
    assert missing.remedy == "pip install 'no-such-package-here>=1'"
    old = doctor._package("pytest", ">=99", lambda v, prereleases: False)
    assert old.state == "broken"
    assert ">=99" in old.said


def test_doctor_finds_a_broken_model(monkeypatch):
    from ctkit.zoo import manifest

    monkeypatch.setattr(manifest, "verify", lambda: ["models/tiny/model.safetensors has changed"])
    rows = list(doctor._models())
    assert [row.state for row in rows] == ["broken"]
    assert "has changed" in rows[0].said


def test_doctor_finds_missing_views(monkeypatch, tmp_path):
    monkeypatch.setattr(doctor, "__file__", str(tmp_path / "doctor.py"))
    [row] = doctor._widgets()
    assert row.state == "broken"
    assert "playground.js" in row.said


def see(monkeypatch, tmp_path, build: str | None, *disabled: str) -> doctor.Row:
    """What the doctor says where JupyterLab has this build of the extension, or none, and these are disabled."""
    import jupyter_core.paths
    import jupyterlab_server.config

    monkeypatch.setattr(jupyter_core.paths, "jupyter_path", lambda name: [str(tmp_path / name)])
    monkeypatch.setattr(jupyterlab_server.config, "get_static_page_config", lambda **_: page)
    page = {"disabledExtensions": dict.fromkeys(disabled, True)}
    if build is not None:
        folder = tmp_path / "labextensions" / doctor.EXTENSION
        folder.mkdir(parents=True)
        package = {
            "name": doctor.EXTENSION,
            "version": "0",
            "jupyterlab": {"_build": {"load": build, "extension": "./extension"}},
        }
        (folder / "package.json").write_text(json.dumps(package))
    [row] = doctor._extension()
    return row


def test_doctor_says_whether_the_extension_is_enabled(monkeypatch, tmp_path):
    package = lab_module.HOME / "labextensions" / doctor.EXTENSION / "package.json"
    ours = json.loads(package.read_text("utf-8"))["jupyterlab"]["_build"]["load"]
    row = see(monkeypatch, tmp_path / "ours", ours)
    assert row.state == "ok" and "enabled" in row.said
    row = see(monkeypatch, tmp_path / "old", "static/remoteEntry.old.js")
    assert row.state == "absent" and "older copy" in row.said
    row = see(monkeypatch, tmp_path / "none", None)
    assert row.state == "absent" and "not by JupyterLab started otherwise" in row.said
    row = see(monkeypatch, tmp_path / "off", ours, "ctkit-lab:plugin")
    assert row.state == "broken" and "labextension enable" in row.remedy
    monkeypatch.setattr(doctor, "__file__", str(tmp_path / "doctor.py"))
    assert "not in" in see(monkeypatch, tmp_path / "gone", None).said


def test_a_terminal_without_the_marks_still_gets_its_lines():
    code = "from ctkit import cli; import ctkit.doctor as d; d.LOOKS = {'p': d._python}; "
    code += "raise SystemExit(cli.main(['doctor']))"
    env = {"PYTHONIOENCODING": "ascii", "PATH": ""}
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, env=env)
    assert out.returncode == 0, out.stderr
    assert b"python" in out.stdout


def test_the_lab_stays_on_this_machine(tmp_path):
    lesson = tmp_path / lab_module.FIRST
    lesson.parent.mkdir()
    words = lab_module.lab_command(tmp_path, browser=False, port=9000, rest=["--debug"])
    assert "--ServerApp.ip=127.0.0.1" in words
    assert "--LabApp.news_url=None" in words
    assert {"--no-browser", "--ServerApp.port=9000", "--debug"} <= set(words)
    assert not any("token" in word or "password" in word or "default_url" in word for word in words)
    lesson.touch()
    words = lab_module.lab_command(tmp_path, browser=True, port=None, rest=[])
    assert "--LabApp.default_url=/lab/tree/notebooks/01-the-causal-mask.ipynb" in words
    assert "--no-browser" not in words


@pytest.fixture
def become(monkeypatch):
    """What the process would have turned into; as in life, nothing after it runs."""

    def execve(program, words, env):
        assert program == sys.executable
        assert env["JUPYTER_CONFIG_PATH"].endswith(str(lab_module.HOME))
        called.append(words)
        raise SystemExit(0)

    called: list[list[str]] = []
    monkeypatch.setattr(cli.os, "execve", execve)
    return called


def test_lab_becomes_jupyterlab(become):
    with pytest.raises(SystemExit):
        cli.main(["lab", "--no-browser", "--", "--ServerApp.quit_button=False"])
    [words] = become
    assert words[1:3] == ["-m", "jupyterlab"]
    assert words[-1] == "--ServerApp.quit_button=False"


def test_the_users_own_settings_come_before_those_of_the_course():
    both = lab_module.lab_environment({"JUPYTER_CONFIG_PATH": "mine", "HOME": "home"})
    path = f"mine{os.pathsep}{lab_module.HOME}"
    ours = {"JUPYTER_PATH": str(lab_module.HOME), "OMP_WAIT_POLICY": "PASSIVE"}
    assert both == {"JUPYTER_CONFIG_PATH": path, "HOME": "home", **ours}
    assert lab_module.lab_environment({"OMP_WAIT_POLICY": "ACTIVE"})["OMP_WAIT_POLICY"] == "ACTIVE"
    for path in lab_module.HOME.rglob("*.json"):
        assert json.loads(path.read_text("utf-8"))


def test_lab_without_jupyterlab_says_what_to_install(monkeypatch, capsys):
    import importlib.util

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert cli.main(["lab"]) == 2
    assert "ctkit[course]" in capsys.readouterr().err


def test_lab_without_the_lessons_opens_this_folder(become, monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(lab_module, "course_root", lambda: None)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        cli.main(["lab"])
    assert f"--ServerApp.root_dir={tmp_path}" in become[0]
    assert "not beside this installation" in capsys.readouterr().out


def test_stopping_is_no_accident(monkeypatch, capsys):
    def stop(given):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "train", stop)
    assert cli.main(["train", "tiny"]) == 130
