"""Edits that mend a failed call, by what is wrong. Each is tried on the call before it is offered.

``arriving``  what arrives has the wrong form: flatten, permute, convert
``setting``   an argument does not fit what arrives: sizes, groups
``joining``   two tensors do not go together: shortcuts, lengths, axes

``checking.trials`` tries each on the whole document thereafter.
"""

from layerloom.graph.checking.fixes.calls import LayerCall, OperationCall
from layerloom.graph.checking.fixes.offering import for_layer, for_operation
from layerloom.graph.checking.fixes.setting import smaller_groups

__all__ = ["LayerCall", "OperationCall", "for_layer", "for_operation", "smaller_groups"]
