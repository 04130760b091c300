# Written by LayerLoom.

import torch
from torch import nn


class TwoWays(nn.Module):
    def __init__(self):
        super().__init__()
        self.image = nn.Conv2d(1, 4, 3)
        self.numbers = nn.Linear(6, 20)
        self.drop = nn.Dropout(0.25)
        self.mix = nn.Bilinear(20, 20, 12)
        self.kind = nn.Linear(12, 3)
        self.amount = nn.Linear(12, 1)
        self.squeeze = nn.Linear(144, 20)

    def forward(self, picture, table):
        x = torch.flatten(torch.relu(self.image(picture)), 1)
        x = self.squeeze(x)
        numbers = torch.tanh(self.numbers(table))
        mixed = self.mix(self.drop(x), self.drop(numbers))
        return self.kind(mixed), self.amount(mixed).squeeze(-1)
