"""Single views for a lesson: one line each, made of the playground's own panels."""

from .view import View


class AttentionView(View):
    """Who reads whom: the text, all heads, and the chosen one before, after and as a difference.

    >>> import ctkit as ct
    >>> view = ct.AttentionView(prompt="The key is in the box.", setup=ct.Mask("bidirectional"))
    >>> view.setup
    Setup([Mask(kind='bidirectional')])
    """

    PANELS = ("text", "attention")


class LensView(View):
    """When the next token is decided: what each layer would say, before and after.

    >>> import ctkit as ct
    >>> view = ct.LensView(prompt="The key is in the box. Where is the key? Answer:", setup=ct.Reread())
    >>> view.wait(), view.lens["tokens"][0]["token"], view.lens["note"]
    (True, ' box', '')
    """

    PANELS = ("text", "next", "lens")


class PopulationView(View):
    """Accuracy before and after on fresh problems of a task, filling up as it runs.

    >>> import ctkit as ct
    >>> ct.PopulationView(setup=ct.Reread()).state["task"]
    'hunt'
    """

    PANELS = ("text", "population")
