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
# # 2 · Thinking out loud
#
# Asked to think first, a model writes steps, and then its answer. Do the steps *make* the answer, or do they only stand in
# front of it? In this lesson you break them, one by one, and watch.
#
# **You will be able to** tell a thought that carries from one that decorates · measure what each step does to the answer, in
# three ways · say why the three disagree · say what “faithful” can and cannot mean.
#
# About 25 minutes. Everything runs on this machine.

# %%
import ctkit as ct

lm = ct.load()
sums = ct.tasks.get("sums")

# %% [markdown]
# ## A sum too long for one glance
#
# Numbers from 0 to 9, and what goes beyond starts again at 0. Four lines lead to the variable that is asked for; the others
# lead nowhere. **Work it out before you run the next cell.**

# %%
hard = sums.generate(1, difficulty=4)
print(hard.prompt.text)

# %% [markdown]
# First the model must answer at once. **Predict: how sure is it?**

# %%
ct.run(lm, hard.prompt).next_tokens(3)

# %% [markdown]
# It is guessing: ten digits, a tenth each. Now it may write before it answers.

# %%
thought = ct.generate(lm, hard.prompt, ct.Think(), max_new_tokens=96)
print(thought.text.strip())

# %% [markdown]
# One sum is luck. **Predict: over 200 fresh sums, what does thinking do to those of one line, of two, of four?**

# %%
for difficulty in (1, 2, 4):
    print(ct.effect(lm, "sums", ct.Think(), n=200, difficulty=difficulty))

# %% [markdown]
# One line it reads off without a thought. One addition in between, and a single pass will not do for this model. Writing gives
# it a place to keep what it has, and a new pass for every token.

# %% [markdown]
# ## When is the answer there?
#
# Stop the thought after no step, after one, after two, and ask each time. The share of stops at which the answer is still
# another one is the **area over the curve** (Lanham et al., arXiv 2307.13702): 0 where the thought is decoration. **Predict
# it for a one-line sum and for this one.**

# %%
easy = sums.generate(1, difficulty=1)
for problem in (easy, hard):
    early = ct.step_effects(lm, problem, problem.steps, "early")
    print(early.area, [round(p, 2) for p in early.curve])

# %% [markdown]
# In the hard sum nothing happens for five steps, and then, with one step, everything. So only that step counts? **Make a
# guess: which steps would you dare to get wrong?**

# %% [markdown]
# ## Break a step
#
# Put a wrong result into one step, let the model write the rest itself, and see how far the probability of its own answer
# falls. Each step is broken in four ways; hatching is the 95 % interval over them.

# %%
mistakes = ct.step_effects(lm, hard, hard.steps, "mistake")
ct.plots.steps(mistakes)

# %% [markdown]
# All four lines of the chain carry: a wrong value is handed on to the end. The **decoys** compute variables that nobody asks
# for, and carry nothing. The task knows which is which, so the picture can be held against the truth.
#
# And the check? It says the sum again. **When the check comes out wrong, does the model go back and think again?**

# %%
check = hard.labels.index("check")
print(mistakes.broken[check])
round(mistakes.evaluations["the step broken"][check], 2)

# %% [markdown]
# The answer keeps all its probability: it writes on as if nothing had happened. This model learned to *write* checks; nothing ever taught it to *use* one.

# %% [markdown]
# ## The same steps, another question
#
# The **true-thinking score** (Zhao et al., arXiv 2510.24941) breaks a step too, but then cuts the thought off and asks at
# once. **Predict: what is left of the first three lines?**

# %%
cut_off = ct.step_effects(lm, hard, hard.steps, "true-thinking")
ct.plots.steps(cut_off)

# %% [markdown]
# Nothing. Behind an early line the model cannot answer yet, whether the line is right or wrong, so breaking it moves nothing.
# Breaking asks *does the end rest on this step?* Cutting asks *can the model use this step right now?* Both are true. The
# paper's name for the second promises more than it measures; we call it the causal effect of the step on the early answer.
#
# “Causal” here means: we changed it and looked. It is not the causal mask of lesson 1.

# %% [markdown]
# ## Forty thoughts, and the truth
#
# How often does a step that matters score higher than a decoy? Always is 1, a coin is 0.5 (the **AUC**). **Predict the order
# of the three measures.**

# %%
truth = ct.step_truth(lm, "sums", ["mistake", "true-thinking", "early"], n=40, difficulty=4)
for found in truth.values():
    print(found)

# %% [markdown]
# Breaking and writing on finds the steps. The other two see little but the last one. Look at the four lines by their place
# in the chain:

# %%
for name, found in truth.items():
    print(f"{name:>14}", [round(abs(mean), 1) for mean, low, high in found.places])

# %% [markdown]
# ## Decoration that can mislead
#
# Back to the one-line sum, which the model answers without any thought. **So what happens when its thought is wrong?**

# %%
ct.plots.steps(ct.step_effects(lm, easy, easy.steps, "mistake"))

# %% [markdown]
# It believes what it reads. It did not *need* the thought (the area was 0), and yet it *follows* it: two different things, and
# “faithful” is used for both. One more test: replace the thought by dots of the same length. **Which of the two sums
# survives?**

# %%
for problem in (easy, hard):
    print(round(ct.step_effects(lm, problem, problem.steps, "early").filler, 2))

# %% [markdown]
# Dots are time to compute without a place to write. For this model that is not enough; one that is trained on dots may learn
# to use them.

# %% [markdown]
# ## Do it by hand
#
# Click a step and change a digit: the answer follows while you type. Switch between the measures, and between steps, words and
# tokens. **Can you find two wrong digits that make the answer right again?**

# %%
ct.StepsView(lm, hard, hard.steps)

# %% [markdown]
# ## With a switch on
#
# Any switch may be on while steps are measured. Another task: a key in a box in a car … five places deep. The model can think
# its way there, one place a step. It can also **read the text again** before it answers. **Predict: with the text read
# twice, which steps does it still need?**

# %%
hunt = ct.tasks.get("hunt").generate(1, difficulty=5)
once = ct.step_effects(lm, hunt, hunt.steps, "early")
twice = ct.step_effects(lm, hunt, hunt.steps, "early", setup=ct.Reread())
ct.plots.steps(twice, before=once)

# %% [markdown]
# None. The answer is there before the first step: what thinking does at the end, the second reading has done in passing. And
# over twenty problems?

# %%
for setup in ((), ct.Reread()):
    print(ct.step_truth(lm, "hunt", "early", n=20, difficulty=5, setup=setup))

# %% [markdown]
# ## Your turn: which steps can go?
#
# Leave steps out of the thought, by their numbers, until as few as possible are left and the answer survives. **How few?**

# %%
left_out = [2, 3]  # your turn: numbers from 0 to 7
kept = [step for i, step in enumerate(hard.steps) if i not in left_out]
ct.step_effects(lm, hard, kept, "early")

# %% [markdown]
# ## What you have seen
#
# - A thought carries where the answer cannot be had in one pass, and decorates where it can.
# - Breaking a step and letting the model write on finds the steps that the answer rests on. Cutting the thought off finds
#   the step after which the answer is there. They answer different questions.
# - A check is only worth what the model makes of it. Here: nothing.
# - A model can follow a thought that it does not need. “Does it need it?”, “does it follow it?” and “is this how it came to
#   the answer?” are three questions; you can measure the first two.
#
# - Another switch can make a thought unnecessary: read twice, and the key is found before the first step.
#
# **Next:** the playground shows all this live. Switch *Think* on, choose a sum, and break it.
