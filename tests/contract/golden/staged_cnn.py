# Written by LayerLoom.

from torch import nn


class ConvBlock(nn.Module):
    """Convolution, batch normalization and activation."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int = 3, stride: int = 1):
        super().__init__()
        self.conv = nn.Conv2d(
            in_channels,
            out_channels,
            kernel_size,
            stride=stride,
            padding=kernel_size // 2,
            bias=False,
        )
        self.bn = nn.BatchNorm2d(out_channels)
        self.act = nn.ReLU(inplace=True)

    def forward(self, x):
        return self.act(self.bn(self.conv(x)))


class StagedCNN(nn.Module):
    """One stage for every width; each halves the image, the first excepted."""

    def __init__(self, widths: list[int] = [8, 12, 16], depth: int = 2, num_classes: int = 5):
        super().__init__()
        self.stem = ConvBlock(3, widths[0])
        self.stages = nn.ModuleList(
            [
                nn.Sequential(
                    ConvBlock(widths[max(i - 1, 0)], width, stride=2 if i > 0 else 1),
                    *[ConvBlock(width, width) for _ in range(depth - 1)],
                )
                for i, width in enumerate(widths)
            ]
        )
        self.head = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Dropout(0.2),
            nn.Linear(widths[-1], num_classes),
        )

    def forward(self, x):
        x = self.stem(x)
        for stage in self.stages:
            x = stage(x)
        return self.head(x)
