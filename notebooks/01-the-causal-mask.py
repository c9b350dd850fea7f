# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 1 · The causal mask
#
# A language model writes from left to right, and it *reads* from left to right too: no word may look at a later one. One
# triangle of zeros, the **causal mask**, sees to that. In this lesson you switch it off and watch what breaks.
#
# **You will be able to** read an attention picture · say what the mask forbids, and test it · tell what lifting it does to
# one prompt and to 200 · cut a single edge and see an answer go.
#
# About 20 minutes. Everything runs on this machine, on a small model that was trained for this course.

# %%
import ctkit as ct

lm = ct.load()
lm

# %% [markdown]
# ## Read a picture of attention
#
# `ct.run` reads a prompt once. Each row of the picture is a word that *reads*; each column a word that *is read*. The darker
# a cell, the more weight. **Predict: which half of the square stays empty?**

# %%
prompt = ct.Prompt(context="The key is in the box. The cup is in the bag.", question="Where is the key?", cue="Answer:")
trace = ct.run(lm, prompt)
ct.plots.attention(trace, layer=1, head=0)

# %% [markdown]
# The upper right half is empty: there, a word would read a *later* word. It is not nearly empty. It is zero.

# %%
trace.attention(layer=1).triu(1).max().item()

# %% [markdown]
# Now the last row. There the model decides what comes next, and this head looks straight at one word. **Which one, and with
# what weight?**

# %%
last = trace.attention(layer=1, head=0)[-1]
trace.tokens[last.argmax()], round(last.max().item(), 2)

# %% [markdown]
# What a word gives out is shared among the words it may read, so each row sums to one. The first row has no choice.
# **How much weight does the first token give itself?**

# %%
guess = ...  # your turn: a number
ct.check(guess, trace.attention(layer=1, head=0)[0, 0].item(), tolerance=0.01)

# %% [markdown]
# ## The past cannot hear the future
#
# If no word reads a later one, then changing the *last* word of the context can change nothing before it: not the
# attention, not the predictions, at no layer. **Predict: after how many of the tokens does the model now expect
# something else?**

# %%
other = ct.run(lm, ct.Prompt(context="The key is in the box. The cup is in the jar.", question="Where is the key?", cue="Answer:"))
changed = [i for i in range(len(trace.tokens)) if not trace.logits[i].equal(other.logits[i])]
trace.tokens[: changed[0]]

# %% [markdown]
# Up to the changed word every number is the same, to the last bit. From there on the whole rest of the text hears of it.
# This is *causal* in one of three senses that this course keeps apart: here it is about **order in the text**, not about
# interventions, and not about causes in the world.

# %%
trace.tokens[changed[0] :]

# %% [markdown]
# ## Lift the mask
#
# `ct.Mask("bidirectional")` lets every word read every word. Blue cells are read more than before, orange ones less.
# **Predict: where will the blue be?**

# %%
lifted = ct.run(lm, prompt, ct.Mask("bidirectional"))
pair = ct.compare(trace, lifted)
ct.plots.comparison(pair, layer=1, head=0)

# %% [markdown]
# The empty half fills: early words read late ones. The last row could read everything before, too. But the words it reads
# have changed, because *they* have now read the future.
#
# More to read, so a better answer? Or is the model thrown off? **Predict: what happens to the answer “box”?**

# %%
for token, before, after in pair.next_tokens[:3]:
    print(f"{token:>10}  {before:.4f} → {after:.4f}")

# %% [markdown]
# ## One prompt proves nothing
#
# Nothing, here. It may be luck, or it may be too easy. So ask 200 fresh problems that the model was not trained on, each with
# the mask and without. Each problem is its own comparison, so the difference has an interval. In `crowd`, the key is still
# only two hops away, but among up to eighteen facts. **Predict: more right answers, fewer, or the same? One hop among three
# facts, and two hops in the largest crowd?**

# %%
print(ct.effect(lm, "hunt", ct.Mask("bidirectional"), n=200, difficulty=1))
effect = ct.effect(lm, "crowd", ct.Mask("bidirectional"), n=200, difficulty=5)
print(effect)
ct.plots.effect(effect)

# %% [markdown]
# This model has only ever read with the mask; without it, every word carries something it never saw in training, and where
# there is much to mistake it mistakes it. Others often get worse too, but not all: of three models in Springer et al. (arXiv
# 2402.15449, Table 3) two did, one improved. Reliable gains are reported after *training* with the mask lifted (Huang et al.,
# ACL 2025, arXiv 2505.11754).

# %% [markdown]
# ## A twin that was trained without it
#
# `tiny-anymask` has the same size and read the same texts in the same order, but from the middle of its training on under
# masks drawn at random: sometimes causal, sometimes with the whole prompt open. **Predict: what does lifting the mask do to
# *its* answers in the same crowd?**

# %%
twin = ct.load("tiny-anymask")
print(ct.effect(twin, "crowd", ct.Mask("bidirectional"), n=200, difficulty=5))

# %% [markdown]
# The mask is not good or bad in itself: a model can use what it has learned to use. How much there is to use shows where one
# reading from left to right is not enough, five hops away. **Predict for both models.**

# %%
for model in (lm, twin):
    print(model.name, ct.effect(model, "hunt", ct.Mask("bidirectional"), n=200, difficulty=5))

# %% [markdown]
# The twin's words look up their places all at once, also those that are told later. The causally trained model is handed the
# same words and makes nothing of them: it mends about as many answers as it breaks.

# %% [markdown]
# ## Cut single edges
#
# Now the other way round: forbid a little *more*. `ct.Knockout(queries, keys)` cuts the edges from some words to others and
# leaves the rest. The answer needs someone to read “box”. **Predict: who? The question, or the last words, “Answer:”?**

# %%
for reader in ("question", "cue"):
    cut = ct.run(lm, prompt, ct.Knockout(reader, "context"))
    print(reader, [(token, round(p, 2)) for token, p in cut.next_tokens(2)])

# %% [markdown]
# The question need not have read the facts; the last words must. That is the row you saw above. **And over 200 problems?**

# %%
print(ct.effect(lm, "hunt", ct.Knockout("question", "context"), n=200, difficulty=1))
print(ct.effect(lm, "hunt", ct.Knockout("cue", "context"), n=200, difficulty=1))

# %% [markdown]
# A model that cannot read the facts cannot know. This is also the check of our tool: an effect must vanish when its cause is
# taken away, and stay when something else is.

# %% [markdown]
# ## Your turn: how far back must it see?
#
# `ct.Mask("window", size=n)` lets a word read only itself and the `n - 1` words before it. These problems tell three facts of
# seven tokens each, then ask. **Find the smallest window at which nine in ten answers survive.** Change `size`, run again.

# %%
size = 4  # your turn
print(ct.effect(lm, "hunt", ct.Mask("window", size=size), n=200, difficulty=1))

# %% [markdown]
# Count the tokens between the last word and the first fact, and compare. With several blocks, what a word knows could travel
# window by window. **Did this model learn to pass it on?**

# %% [markdown]
# ## The playground
#
# Everything above, with switches. Flip **Mask** and watch attention, the next token and the 200 problems change together;
# then try the others. **Before each flip, say what you expect.** The button *copy as code* gives you the Python for
# whatever is on.

# %%
playground = ct.Playground(lm)
playground

# %% [markdown]
# Code and switches are one: set `playground.setup`, and the switches follow.

# %%
playground.setup = ct.Mask("bidirectional")
playground.setup

# %% [markdown]
# ## What you have seen
#
# - Attention weights above the diagonal are zero, so the past cannot hear the future: exactly, at every layer.
# - Lifting the mask gives a model more to read. One that was trained with it gets worse where there is much to mistake; its
#   twin, trained without, gets better: measured on 200 problems each, with an interval.
# - Cutting the right edges takes the answer away; that is how one finds out which edges matter.
#
# **Next:** lifting the mask is not the only way to let an early word hear of a late one. Flip *Read again* in the playground
# and look at the difference picture: the upper half turns blue there too, with the mask in place. Why? And does it help? Ask
# the 200 of *Lost key*.
