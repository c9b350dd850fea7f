"""The same recipe from other seeds: which runs count, and what the card says of them."""

import json

import pytest

from ctkit.errors import CtkitError
from ctkit.zoo import manifest, seeds


def cell(difficulty, difference):
    effect = {"difference": difference, "low": difference - 0.02, "high": difference + 0.02}
    return {"difficulty": difficulty, "effects": dict.fromkeys(seeds.FORMS[1:], effect)}


def run_of(difference, share=0.5):
    learned = [{"accuracy": {form: {"accuracy": share, "low": 0.4, "high": 0.6}}} for _, _, form in seeds.LEARNED]
    return {"hunts": [cell(2, 0.0), cell(4, difference)], "learned": learned}


def model(folder, seed):
    folder.mkdir(parents=True)
    (folder / "train.json").write_text(json.dumps({"recipe": {"seed": seed}}))


@pytest.fixture
def runs(tmp_path, monkeypatch):
    model(tmp_path / "shipped", 0)
    monkeypatch.setattr(manifest, "model_path", lambda name: tmp_path / "shipped")
    monkeypatch.setattr(
        seeds, "measured", lambda folder, n: [cell(2, 0.0), cell(4, 0.1 * len(str(folder.parent.name)))]
    )
    return tmp_path / "runs"


def test_a_seed_alone_is_refused(runs):
    with pytest.raises(CtkitError) as caught:
        seeds.seeds("tiny", 10, runs)
    assert "ctkit train tiny --seed 1" in caught.value.remedy


def test_every_finished_run_counts_once_and_the_shipped_one_is_named(runs):
    model(runs / "tiny-1" / "model", 1)
    model(runs / "tiny-2" / "model", 2)
    model(runs / "tiny-0" / "model", 0)  # the shipped seed again
    model(runs / "tiny-anymask" / "model", 5)  # another model
    (runs / "tiny-4").mkdir()  # not finished
    told = json.loads(seeds.seeds("tiny", 10, runs).read_text())
    assert list(told["runs"]) == ["0", "1", "2"] and told["shipped"] == "0" and told["n"] == 10


def test_the_section_gives_the_median_of_each_depth():
    found = {
        "n": 10,
        "shipped": "0",
        "runs": {str(s): run_of(d, d) for s, d in enumerate((0.3, 0.1, 0.2))},
    }
    text = seeds.section(found)
    assert "| re-read | 4 | +30.0 (+28.0 to +32.0) | +10.0 (+8.0 to +12.0) | +20.0 (+18.0 to +22.0) | +20.0 |" in text
    assert "| sums | 5 | thinking | 30 (40–60) | 10 (40–60) | 20 (40–60) |" in text
    assert "seed 0 (shipped)" in text and "seed 1 (shipped)" not in text
