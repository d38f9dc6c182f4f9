"""Image classifiers: a small convolutional network of our own, ResNet-18 and MobileNetV2.

ResNet-18 and MobileNetV2 are torchvision's, with a one-channel stem for grey images, which are
enlarged to 64×64; the small network sees them as they are, 28×28.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from efficiency.workloads.base import Pace, Training, Workload
from efficiency.workloads.datasets.fashion_mnist import FASHION_MNIST
from efficiency.workloads.datasets.glyphs import GLYPHS

if TYPE_CHECKING:
    import torch
    from torch import nn

SMALL_SIDE, LARGE_SIDE = 28, 64


def _normalised(images: NDArray[np.generic]) -> torch.Tensor:
    """Pixels [N, 28, 28] uint8 to (pixel / 255 - 0.25) / 0.25, [N, 1, 28, 28] float32."""
    import torch

    return (torch.from_numpy(np.asarray(images, dtype=np.float32)).unsqueeze(1) / 255 - 0.25) / 0.25


def _enlarged(images: NDArray[np.generic]) -> torch.Tensor:
    """Pixels [N, 28, 28] uint8 to (pixel / 255 - 0.25) / 0.25, enlarged bilinearly to [N, 1, 64, 64] float32."""
    from torch.nn.functional import interpolate

    return interpolate(_normalised(images), size=(LARGE_SIDE, LARGE_SIDE), mode="bilinear")


def small_cnn(classes: int) -> nn.Module:
    """Five conv-bn-relu layers (32, 32, 64, 64, 128 channels), then a linear layer."""
    from torch import nn

    def block(channels_in: int, channels_out: int) -> list[nn.Module]:
        convolution = nn.Conv2d(channels_in, channels_out, 3, padding=1, bias=False)
        return [convolution, nn.BatchNorm2d(channels_out), nn.ReLU()]

    return nn.Sequential(
        *block(1, 32), *block(32, 32), nn.MaxPool2d(2),
        *block(32, 64), *block(64, 64), nn.MaxPool2d(2),
        *block(64, 128), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Linear(128, classes),
    )  # fmt: skip


def resnet18(classes: int) -> nn.Module:
    """torchvision's ResNet-18 with a one-channel first convolution."""
    from torch import nn

    from efficiency.workloads.torchvision_import import torchvision

    model = torchvision().models.resnet18(num_classes=classes)
    model.conv1 = nn.Conv2d(1, 64, kernel_size=7, stride=2, padding=3, bias=False)
    return model


def mobilenet_v2(classes: int) -> nn.Module:
    """torchvision's MobileNetV2 with a one-channel first convolution."""
    from torch import nn

    from efficiency.workloads.torchvision_import import torchvision

    model = torchvision().models.mobilenet_v2(num_classes=classes)
    model.features[0][0] = nn.Conv2d(1, 32, kernel_size=3, stride=2, padding=1, bias=False)
    return model


SMALL_CNN = Workload(
    key="vision-small-cnn",
    label="Small CNN",
    family="cnn",
    model="SmallCNN",
    summary="Five conv-bn-relu layers on 28×28 grey images.",
    datasets=(GLYPHS, FASHION_MNIST),
    build=small_cnn,
    encode=_normalised,
    weights_in={"conv": 0.95, "linear": 0.05},
    shape={"image_size": SMALL_SIDE, "channels": 1, "width": 128},
    training=Training(epochs=3, peak_learning_rate=4e-3, least_rows=30_000, most_rows=150_000),
    pace=Pace(evaluated_rows_per_s=2_500, trained_rows_per_s=480),
)

RESNET18 = Workload(
    key="vision-resnet18",
    label="ResNet-18",
    family="cnn",
    model="ResNet-18",
    summary="torchvision's ResNet-18 on grey images enlarged to 64×64.",
    datasets=(GLYPHS, FASHION_MNIST),
    build=resnet18,
    encode=_enlarged,
    weights_in={"conv": 0.998, "linear": 0.002},
    shape={"image_size": LARGE_SIDE, "channels": 1, "width": 512},
    training=Training(epochs=3, peak_learning_rate=2e-3, least_rows=30_000, most_rows=150_000),
    pace=Pace(evaluated_rows_per_s=350, trained_rows_per_s=100),
)

MOBILENET_V2 = Workload(
    key="vision-mobilenet-v2",
    label="MobileNetV2",
    family="cnn",
    model="MobileNetV2",
    summary="torchvision's MobileNetV2 on grey images enlarged to 64×64.",
    datasets=(GLYPHS, FASHION_MNIST),
    build=mobilenet_v2,
    encode=_enlarged,
    weights_in={"conv": 0.97, "linear": 0.03},
    shape={"image_size": LARGE_SIDE, "channels": 1, "width": 1280},
    training=Training(epochs=4, peak_learning_rate=4e-3, least_rows=30_000, most_rows=150_000),
    pace=Pace(evaluated_rows_per_s=450, trained_rows_per_s=100),
)
