"""Giving one instance of a block a class of its own."""

from __future__ import annotations

from layerloom.graph.editing.apart import set_apart
from layerloom.graph.editing.graphs import view_of, with_views
from layerloom.graph.editing.items import changed, real, use_at
from layerloom.graph.editing.moves import Edited
from layerloom.graph.editing.names import unique
from layerloom.graph.names import CLASSES
from layerloom.graph.walk import block_of, uses
from layerloom.schema.document import Document


def detach(document: Document, block: str, member: str, *, copies: bool = False) -> Edited:
    """A copy of the class of an instance, which becomes the class of this instance alone, so that it can be changed.

    ``member`` is the path of the instance: ``stem``, ``stages.0.conv``. One that a repeat makes is set apart from the
    others, and with ``copies`` all that the repeat makes get the one new class instead. The class has the old name with
    a number. No state_dict key changes, and where the instance is the only one of its class, nothing does.

    Raises GraphError where the path leads to no instance of a block, and where a repeat makes another instance there in
    another instance of the block around it.
    """
    path = real(block_of(document, block).members, member)
    apart = document if copies else set_apart(document, block, path)
    use = use_at(apart, block, path)
    made = block_of(apart, use.block, block=block, member=member)
    if sum(other.block == use.block for its in apart.blocks.values() for other in uses(its)) < 2:
        return Edited(document)
    name = unique(use.block, {*apart.blocks, *CLASSES})
    its = apart.blocks[block]
    members = changed(apart, block, path, lambda it: it.model_copy(update={"block": name}))
    blocks = {**apart.blocks, block: its.model_copy(update={"members": members}), name: made}
    detached = apart.model_copy(update={"blocks": blocks})
    drawn = use.block in document.ui.blocks
    return Edited(with_views(detached, {name: view_of(document, use.block)}) if drawn else detached)
