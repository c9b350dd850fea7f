"""On a GPU everything says what it says on a CPU. Skipped where there is none; the laws themselves run there with
CTKIT_TEST_DEVICE=cuda."""

import pytest
import torch

import ctkit as ct
from ctkit.tasks import get

from .engine_fixtures import PROMPT, setups_for, techniques_for
from .families import D_MODEL, TOKENIZER, new_model

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU on this machine")
CLOSE = {"atol": 1e-3, "rtol": 1e-3}  # float32 kernels of another kind, on weights made large


@pytest.fixture(scope="module")
def tiny():
    return ct.load(device="cuda"), ct.load(device="cpu")


@pytest.mark.parametrize("family", ["llama", "gpt2", "gemma2", "mistral", "gpt_neo", "qwen3"])
def test_a_gpu_says_what_a_cpu_says(family):
    on_gpu = ct.wrap(new_model(family).to("cuda"), TOKENIZER)
    on_cpu = ct.wrap(new_model(family).to("cpu"), TOKENIZER)
    assert on_gpu.support == on_cpu.support
    setups = setups_for(on_cpu) | (techniques_for(on_cpu) if on_cpu.support["mask"] == "yes" else {})
    for name, setup in setups.items():
        try:
            expected = ct.run(on_cpu, PROMPT, setup)
        except ct.CtkitError:
            continue  # this family cannot
        found = ct.run(on_gpu, PROMPT, setup)
        torch.testing.assert_close(found.logits, expected.logits, **CLOSE, msg=lambda m, n=name: f"{n}: {m}")


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_stays_idle(dtype):
    lm = ct.wrap(new_model("llama", dtype=dtype).to("cuda"), TOKENIZER)
    ids = ct.run(lm, PROMPT).ids
    with torch.no_grad():
        expected = lm.model(input_ids=torch.tensor([ids], device="cuda")).logits[0].float().cpu()
    idle = [ct.Mask("causal"), ct.Reread(times=1), ct.Steer(ct.Direction(torch.ones(D_MODEL), 1), strength=0)]
    assert torch.equal(ct.run(lm, PROMPT, idle, attention="all", residual="all").logits, expected)
    for setup in setups_for(lm).values():
        assert ct.run(lm, PROMPT, setup).logits.isfinite().all()


@pytest.mark.parametrize("task", ["hunt", "sums"])
def test_the_same_words_are_written(tiny, task):
    gpu, cpu = tiny
    setup = [ct.Think()] if task == "sums" else [ct.Reread()]
    for seed in range(10):
        prompt = get(task).generate(seed, 3).prompt
        texts = [ct.generate(lm, prompt, setup, max_new_tokens=60).text for lm in (gpu, cpu)]
        assert texts[0] == texts[1]


@pytest.mark.parametrize("method", ["mistake", "true-thinking"])
def test_steps_have_the_same_effects(tiny, method):
    problem = get("sums").generate(4, 3)
    found, expected = (ct.step_effects(lm, problem.prompt, problem.steps, method) for lm in tiny)
    assert found.scores == pytest.approx(expected.scores, abs=1e-3)
    assert found.control == [0.0] * len(problem.steps)


def test_measures_agree(tiny):
    problem, setup = get("hunt").generate(3, 2), ct.Mask("bidirectional")
    effects = [ct.effect(lm, "hunt", setup, n=40, difficulty=2) for lm in tiny]
    assert [o.after for o in effects[0].outcomes] == [o.after for o in effects[1].outcomes]
    lenses = [ct.lens(lm, problem.prompt) for lm in tiny]
    assert type(lenses[0]) is type(lenses[1])
    frames = [ct.Playground(lm, problem.prompt, ct.Reread()).frame for lm in tiny]
    for one, other in zip(frames[0]["next"], frames[1]["next"], strict=True):
        assert one["token"] == other["token"] and one["after"] == pytest.approx(other["after"], abs=1e-3)


def test_a_direction_is_the_same(tiny):
    mood = get("mood")
    happy, sad = (mood.texts(style, 20, 0) for style in ("happy", "sad"))
    one, other = (ct.fit_direction(lm, happy, sad, layer=2) for lm in tiny)
    assert torch.cosine_similarity(one.vector.cpu(), other.vector, dim=0) > 0.9999
