# Written by LayerLoom.

from torch import nn


class SharedMLP(nn.Module):
    """Three linear layers that share one activation."""

    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(12, 32)
        self.fc2 = nn.Linear(32, 16)
        self.fc3 = nn.Linear(16, 4)
        self.act = nn.ReLU()

    def forward(self, x):
        x = self.fc2(self.act(self.fc1(x)))
        return self.fc3(self.act(x))
