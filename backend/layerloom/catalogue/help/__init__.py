"""Help cards: a docstring, in the reStructuredText and the Google sections that torch writes, as a tree to be shown.

    text ──(sections)──► reStructuredText ──(parsing: docutils)──► doctree ──(elements)──► Help

A person's own docstring comes this way, too. It may hold whatever it likes: nothing is included or loaded, raw markup
is dropped, links lead to the web or nowhere, and what is given on consists of known elements alone.
"""

from layerloom.catalogue.help.cards import help_of, rendered

__all__ = ["help_of", "rendered"]
