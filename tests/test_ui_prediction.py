"""The lens and the written texts of a view: the numbers of the measures, the same dice, told while they are written."""

import pytest

import ctkit as ct
from ctkit import CtkitError
from ctkit.ui.generated import Generated, checked
from ctkit.ui.lens import LensLines

PROMPT = ct.tasks.get("hunt").generate(3, 2).prompt
STORY = ct.Prompt("Once there was a happy dog. The dog")


def told_by(texts, prompt, setup, options, stale=lambda: False):
    lines = []
    texts.write(prompt, setup, options, stale, lines.append)
    return lines


def test_the_lines_are_those_of_the_lens(lm):
    before = ct.run(lm, PROMPT, attention="all", residual="all")
    after = ct.run(lm, PROMPT, ct.Reread(), attention="all")  # its streams are read by one more pass
    found = LensLines(lm).of(before, after)
    old, new = ct.lens(lm, PROMPT, at=-1), ct.lens(lm, PROMPT, ct.Reread(), at=-1)
    assert len(found["tokens"]) == 4 and found["note"] == ""
    for row in found["tokens"]:
        assert row["before"] == pytest.approx(old.probability(row["token"])[:, 0].tolist(), abs=2e-5)
        assert row["after"] == pytest.approx(new.probability(row["token"])[:, 0].tolist(), abs=2e-5)
    assert found["before"]["top"] == [row[0][0] for row in old.next_tokens(1)]
    assert found["after"] == {"top": [row[0][0] for row in new.next_tokens(1)], "settled": int(new.settled[0])}
    assert found["tokens"][0]["token"] == after.next_tokens(1)[0][0], "what comes out stands first"


def test_without_a_change_there_is_one_line_and_the_run_before_is_read_once(lm):
    lines, before = LensLines(lm), ct.run(lm, PROMPT, residual="all")
    found = lines.of(before, None)
    assert found["after"] is None and all(row["after"] is None for row in found["tokens"])
    kept = lines.known[before]
    lines.of(before, ct.run(lm, PROMPT, ct.Reread()))
    assert lines.known == {before: kept}


def test_a_lens_that_cannot_be_says_why(lm, monkeypatch):
    def refuse(*given, **named):
        raise CtkitError("a lens", "a model that will not", "another one")

    monkeypatch.setattr("ctkit.ui.lens.lens_of", refuse)
    found = LensLines(lm).of(ct.run(lm, PROMPT), None)
    assert found["tokens"] == [] and found["note"] == "No lens here: a model that will not. Try another one."


def test_texts_are_those_of_generate_with_the_same_dice(lm):
    setup = ct.Setup([ct.Mask("window", size=3)])
    lines = told_by(Generated(lm), STORY, setup, {"temperature": 1.0, "length": 12, "seed": 5})
    last = lines[-1]
    for side, interventions in (("before", ()), ("after", setup)):
        wanted = ct.generate(lm, STORY, ct.Setup(interventions), max_new_tokens=12, temperature=1.0, seed=5)
        assert last[side] == {"tokens": wanted.tokens, "stopped": wanted.stopped}
    assert not last["running"] and all(line["running"] for line in lines[:-1])
    assert last["before"]["tokens"] != last["after"]["tokens"]


def test_a_setup_that_changes_nothing_writes_the_same(lm):
    last = told_by(Generated(lm), STORY, ct.Setup([ct.Mask("causal")]), {"length": 10, "temperature": 1.5})[-1]
    assert last["before"] == last["after"]


def test_text_appears_while_it_is_written_and_stops_when_asked(lm, monkeypatch):
    monkeypatch.setattr("ctkit.ui.generated.PAUSE", 0.0)
    texts, lines = Generated(lm), []
    texts.write(STORY, ct.Setup(), {"length": 20, "seed": 2}, lambda: len(lines) >= 4, lines.append)
    lengths = [len(line["before"]["tokens"]) for line in lines]
    assert lengths[:4] == [1, 2, 3, 4] and lines[-1]["before"]["stopped"] == "asked" and not lines[-1]["running"]
    assert len(texts.known) == 0, "half a text is not kept"


def test_the_text_before_is_written_once(lm, monkeypatch):
    texts = Generated(lm)
    told_by(texts, STORY, ct.Setup(), {"length": 5})
    monkeypatch.setattr("ctkit.ui.generated.generate", lambda *given, **named: pytest.fail("written again"))
    last = told_by(texts, STORY, ct.Setup(), {"length": 5})[-1]
    assert len(last["before"]["tokens"]) == 5 and last["after"] is None and not last["running"]


def test_another_setup_can_be_what_is_compared_with(lm):
    window, reread = ct.Setup([ct.Mask("window", size=3)]), ct.Setup([ct.Reread()])
    lines: list[dict] = []
    texts = Generated(lm)
    texts.write(STORY, reread, {"length": 6}, lambda: False, lines.append, window)
    wanted = ct.generate(lm, STORY, window, max_new_tokens=6, temperature=0.8)
    assert lines[-1]["before"]["tokens"] == wanted.tokens
    texts.write(STORY, window, {"length": 6}, lambda: False, lines.append, window)
    assert lines[-1]["after"] is None and lines[-1]["before"]["tokens"] == wanted.tokens


@pytest.mark.parametrize("wrong", [{"temperature": -1}, {"length": 0}, {"length": 2.5}, {"seed": "x"}, {"seed": True}])
def test_wishes_that_cannot_be_are_refused(wrong):
    with pytest.raises(CtkitError, match=next(iter(wrong))):
        checked(wrong)


def test_a_view_of_the_lens_follows_its_setup(lm):
    view = ct.LensView(lm, PROMPT)
    assert view.wait(60) and view.lens["after"] is None and view.lens["seq"] == 0
    view.setup = ct.Reread()
    assert view.wait(60) and view.lens["after"] is not None and view.lens["seq"] == view.frame["seq"] == 1


def test_options_of_a_panel_are_followed_without_another_run(lm):
    play = ct.Playground(lm, STORY)
    assert play.wait(120) and play.generated["temperature"] == 0.8
    frame = play.frame
    play.options = {"generated": {"temperature": 0, "length": 3}}
    assert play.wait(60) and play.generated["length"] == 3 and play.frame is frame
    play.options = {"generated": {"length": 4000}}
    assert play.wait(60) and "length" in play.error["asked"]
