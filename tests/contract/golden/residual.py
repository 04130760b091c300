# Written by LayerLoom.

import torch.nn.functional as F
from torch import nn


class ResidualBlock(nn.Module):
    """Two convolutions and a skip connection, projected where the width changes."""

    def __init__(self, in_channels: int, out_channels: int, dropout: float = 0.1):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(out_channels)
        self.project = nn.Conv2d(in_channels, out_channels, 1)
        self.drop = nn.Dropout(dropout)

    def forward(self, x):
        out = F.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(self.drop(out))) + self.project(x)
        return F.relu(out)


class ResidualNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks = nn.Sequential(ResidualBlock(1, 8), ResidualBlock(8, 12, dropout=0.2))
        self.fc = nn.Linear(12, 10)

    def forward(self, x):
        return self.fc(self.blocks(x).mean(dim=[2, 3]))
