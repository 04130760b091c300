"""What two documents differ in, and what two people's edits of one document come to.

>>> print(diff(before, after))
>>> merged = merge(base, ours, theirs)
>>> merged.document, merged.conflicts

Blocks, members and nodes are matched by name and structure, never by the ids of nodes, and places on the canvas do not
count.
"""

from layerloom.graph.comparing.difference import Change, Difference, diff
from layerloom.graph.comparing.merging import Conflict, Merged, merge

__all__ = ["Change", "Conflict", "Difference", "Merged", "diff", "merge"]
