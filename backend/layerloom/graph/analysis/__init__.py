"""What a network costs, at any batch size and for training by any optimizer; nothing is allocated for it.

>>> analysis = analyse(document, batch=128, optimizer=Choice(name="torch.optim.AdamW"), precision="bf16")
>>> analysis.totals.flops, analysis.training.total
"""

from layerloom.graph.analysis.costs import analyse
from layerloom.graph.analysis.optimizer import optimizer_bytes
from layerloom.graph.analysis.saved import saved_bytes

__all__ = ["analyse", "optimizer_bytes", "saved_bytes"]
