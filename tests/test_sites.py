"""What can be read in a block: the stream, the heads, the MLP and its hidden layer, and how they make each other up."""

import pytest
import torch

import ctkit as ct
from ctkit import CtkitError, Prompt, Reread, Setup, Steer
from ctkit.engine.lm import down_projection
from ctkit.engine.run import run_many
from ctkit.families.configs import model_of

from .engine_fixtures import PROMPT, TOLERANCE, direction
from .families import ALL, D_MODEL, N_HEADS, N_LAYERS, TOKENIZER, lm_of, plain

# family → where it keeps the attention's output projection and the MLP's last one
PLACES = {
    "llama": ("self_attn.o_proj", "mlp.down_proj"),
    "gpt2": ("attn.c_proj", "mlp.c_proj"),
    "opt": ("self_attn.out_proj", "fc2"),
    "gpt_neo": ("attn.attention.out_proj", "mlp.c_proj"),
    "bloom": ("self_attention.dense", "mlp.dense_4h_to_h"),
    "phi": ("self_attn.dense", "mlp.fc2"),
    "falcon": ("self_attention.dense", "mlp.dense_4h_to_h"),
    "gptj": ("attn.out_proj", "mlp.fc_out"),
}
EXPERTS = ["mixtral", "gpt_oss"]
SITES = ("residual", "heads", "mlp", "neurons")
pytestmark = pytest.mark.families


def sites_of(family: str) -> tuple[str, ...]:
    return SITES[:3] if family in EXPERTS else SITES


def listened(lm, ids, path: str, layer: int) -> tuple[torch.Tensor, torch.Tensor, torch.nn.Module]:
    """What goes into a module of a block and what comes out, without ctkit."""
    seen, module = [], lm.blocks[layer].get_submodule(path)
    hook = module.register_forward_hook(lambda _, args, output: seen.append((args[0].clone(), output.clone())))
    plain(lm, ids)
    hook.remove()
    given, output = (x.reshape(len(ids), -1).cpu() for x in seen[0])
    return given, output, module


def projected(x: torch.Tensor, module: torch.nn.Module) -> torch.Tensor:
    """By hand: what a projection makes of its input."""
    weight = module.weight.detach().cpu()
    weight = weight if type(module).__name__ == "Conv1D" else weight.T
    bias = getattr(module, "bias", None)
    return x @ weight + (0 if bias is None else bias.detach().cpu())


@pytest.mark.parametrize("family", ALL)
def test_late_is_as_good_as_kept(family):
    lm, names = lm_of(family), sites_of(family)
    kept = ct.run(lm, PROMPT, **dict.fromkeys(names, "all"))
    late = ct.run(lm, PROMPT)
    n, widths = len(kept.ids), {"residual": (D_MODEL,), "heads": (N_HEADS, D_MODEL // N_HEADS), "mlp": (D_MODEL,)}
    assert torch.equal(kept.logits, late.logits)
    for name in names:
        for layer in range(N_LAYERS + (name == "residual")):
            x = getattr(late, name)(layer)
            assert torch.equal(x, getattr(kept, name)(layer)), (name, layer)
            assert x.shape == (n, *widths[name]) if name in widths else x.ndim == 2
            assert x.dtype == torch.float32 and x.device.type == "cpu" and not x.requires_grad


@pytest.mark.parametrize("family", PLACES)
def test_the_heads_are_what_the_output_projection_reads(family):
    lm = lm_of(family)
    trace = ct.run(lm, PROMPT, heads="all")
    for layer in range(N_LAYERS):
        given, output, module = listened(lm, trace.ids, PLACES[family][0], layer)
        assert torch.equal(trace.heads(layer).flatten(1), given)
        torch.testing.assert_close(projected(trace.heads(layer).flatten(1), module), output, **TOLERANCE)


@pytest.mark.parametrize("family", ["llama", "gpt2", "gpt_neo", "bloom"])
def test_a_head_is_its_weights_times_its_values(family):
    """The order of the heads, side by side, is that of their attention."""
    lm, layer = lm_of(family), 1
    trace = ct.run(lm, PROMPT)
    first = trace.heads(layer)[:1]  # sees itself alone: its values
    for head in range(N_HEADS):
        weight = trace.attention(layer, head)[1, :2]
        second = (trace.heads(layer)[1, head] - weight[0] * first[0, head]) / weight[1]
        weight = trace.attention(layer, head)[2, :3]
        rest = trace.heads(layer)[2, head] - weight[0] * first[0, head] - weight[1] * second
        seen = ct.run(lm, PROMPT, ct.Knockout(2, (0, 1), layers=[layer])).heads(layer)[2, head]
        torch.testing.assert_close(rest / weight[2], seen, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("family", PLACES)
def test_the_mlp_is_its_hidden_layer_written_down(family):
    lm = lm_of(family)
    trace = ct.run(lm, PROMPT, mlp="all", neurons="all")
    for layer in range(N_LAYERS):
        given, output, module = listened(lm, trace.ids, PLACES[family][1], layer)
        assert torch.equal(trace.neurons(layer), given)
        torch.testing.assert_close(trace.mlp(layer), output, **TOLERANCE)
        matrix = down_projection(lm, layer).cpu()
        bias = getattr(module, "bias", None)
        by_hand = trace.neurons(layer) @ matrix.T + (0 if bias is None else bias.detach().cpu())
        assert matrix.shape == (D_MODEL, trace.neurons(layer).shape[1])
        torch.testing.assert_close(by_hand, trace.mlp(layer), **TOLERANCE)


@pytest.mark.parametrize("family", PLACES)
def test_the_stream_is_the_sum_of_what_was_written_into_it(family):
    lm = lm_of(family)
    trace = ct.run(lm, PROMPT, **dict.fromkeys(SITES, "all"))
    for layer in range(N_LAYERS):
        module = lm.blocks[layer].get_submodule(PLACES[family][0])
        attended = projected(trace.heads(layer).flatten(1), module)
        total = trace.residual(layer) + attended + trace.mlp(layer)
        torch.testing.assert_close(trace.residual(layer + 1), total, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("family", EXPERTS)
def test_experts_have_an_output_but_no_one_hidden_layer(family):
    lm = lm_of(family)
    trace = ct.run(lm, PROMPT, residual="all", heads="all", mlp="all", neurons="all")
    assert all(site != "neurons" for site, _ in trace.kept_streams), "all that there are: none"
    for layer in range(N_LAYERS):
        attended = projected(trace.heads(layer).flatten(1), lm.parts[layer].out)
        total = trace.residual(layer) + attended + trace.mlp(layer)
        torch.testing.assert_close(trace.residual(layer + 1), total, atol=1e-4, rtol=1e-4)
    for ask in (lambda: trace.neurons(1), lambda: ct.run(lm, PROMPT, neurons=[1])):
        with pytest.raises(CtkitError, match=r"(?s)layer 1|block 1"):
            ask()
    with pytest.raises(CtkitError, match=r"(?s)hidden layer of the MLP in block 0.*experts.*ct\.load\(\)"):
        down_projection(lm, 0)


@pytest.mark.parametrize("family", ["llama", "gpt_neo"])
def test_what_is_not_kept_is_read_once(family):
    lm, passes = lm_of(family), []
    hook = lm.model.register_forward_pre_hook(lambda *_: passes.append(1))
    try:
        trace = ct.run(lm, PROMPT, mlp=[2])
        assert len(passes) == 1
        for number, ask in enumerate(
            (
                lambda: trace.mlp(2),
                lambda: trace.heads(1),
                lambda: trace.heads(1),
                lambda: trace.neurons(1),
                lambda: trace.attention(0),
                lambda: trace.attention(0, 1),
                lambda: trace.residual(3),
            )
        ):
            ask()
            assert len(passes) == [1, 2, 2, 3, 4, 4, 5][number], number
    finally:
        hook.remove()


@pytest.mark.parametrize("family", ["llama", "gpt2", "mixtral", "gpt_neo", "bloom", "falcon"])
def test_a_batch_changes_nothing(family):
    lm, names = lm_of(family), sites_of(family)
    steer = Steer(direction(), strength=2.0)
    entries = [PROMPT, "b", ("Who has it?", steer), (Prompt("A text that is longer than all others."), Reread())]
    many = run_many(lm, entries, **dict.fromkeys(names, "all"), attention=[(1, 2)])
    for trace, entry in zip(many, entries, strict=True):
        prompt, setup = entry if isinstance(entry, tuple) else (entry, Setup())
        alone = ct.run(lm, prompt, setup, **dict.fromkeys(names, "all"))
        for place, x in alone.kept_streams.items():
            torch.testing.assert_close(trace.kept_streams[place], x, **TOLERANCE)
        torch.testing.assert_close(trace.attention(1, 2), alone.attention(1, 2), **TOLERANCE)
    late = run_many(lm, entries)[2]
    torch.testing.assert_close(late.mlp(1), many[2].mlp(1), **TOLERANCE)


@pytest.mark.parametrize("kind", ["jamba", "granitemoehybrid"])
def test_blocks_without_a_part_are_left_out_of_all(kind):
    lm = ct.wrap(model_of(kind), TOKENIZER)
    trace = ct.run(lm, "Ann has a.", heads="all", mlp="all", residual="all")
    assert {layer for site, layer in trace.kept_streams if site == "heads"} == set(lm.attending)
    assert 0 < len(lm.attending) < lm.n_layers
    without = next(layer for layer in range(lm.n_layers) if layer not in lm.attending)
    with pytest.raises(CtkitError, match=rf"(?s)layer {without}.*without such a part|layers 0 to"):
        ct.run(lm, "Ann has a.", heads=[without])


@pytest.mark.parametrize("site", SITES)
def test_layers_that_are_not_there_are_refused(site):
    lm = lm_of("llama")
    last = N_LAYERS - (site != "residual")
    trace = ct.run(lm, PROMPT)
    for layer in (-1, last + 1, 1.5, None):
        with pytest.raises(CtkitError, match=rf"layers 0 to {last}"):
            getattr(trace, site)(layer)
    with pytest.raises(CtkitError, match=rf"layers 0 to {last}"):
        ct.run(lm, PROMPT, **{site: last + 1})
    with pytest.raises(CtkitError, match='"all" or numbers'):
        ct.run(lm, PROMPT, **{site: "some"})
