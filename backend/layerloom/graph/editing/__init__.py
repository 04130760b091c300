"""Documents changed as a whole: nodes become a class, an instance is dissolved, an instance gets a class of its own.

>>> made = make_block(document, "Net", ["n1", "n2"], "ConvBlock")
>>> module = layerloom.build(made.document)
>>> module.load_state_dict(made.carry(weights))

Each function is pure, and what the network computes stays what it was, bit for bit. What changes by design are the
state_dict keys of the members that go to another place; ``Edited`` says how. ``alike`` finds the other places of which
``make_block`` can make instances, too, and ``block_from_expression`` makes a class of a line: ``x * sigmoid(gate)``.
"""

from layerloom.graph.editing.detaching import detach
from layerloom.graph.editing.dissolving import dissolve
from layerloom.graph.editing.expression import block_from_expression
from layerloom.graph.editing.joining import Alike, Offer, alike, make_block
from layerloom.graph.editing.moves import Edited

__all__ = ["Alike", "Edited", "Offer", "alike", "block_from_expression", "detach", "dissolve", "make_block"]
