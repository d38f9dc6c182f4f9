"""A small user's workload whose model misbehaves under some techniques, in the process that runs it."""

from __future__ import annotations

import os
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from efficiency.workloads.base import Dataset, Pace, Rows, Workload

if TYPE_CHECKING:
    import torch
    from torch import nn

CLASSES = ("north", "east", "south", "west")
FEATURES, HIDDEN = 64, 256
ROWS = {"train": 400, "calibration": 100, "test": 400}
CALLS_OF_A_PROBE = 40
"""More than any process makes that neither times nor reads energy."""


def load(split: str, rows: int | None = None) -> Rows:
    rng = np.random.default_rng([1, list(ROWS).index(split)])
    labels = rng.integers(0, len(CLASSES), size=ROWS[split])
    centres = np.random.default_rng(0).normal(size=(len(CLASSES), FEATURES))
    points = 0.5 * centres[labels] + rng.normal(size=(len(labels), FEATURES))
    return Rows(points.astype(np.float32)[:rows], labels[:rows])


POINTS = Dataset(
    key="points",
    label="Points",
    summary="Four clouds.",
    kind="other",
    classes=CLASSES,
    load=load,
    fingerprint=lambda: "points-1",
    test_rows=ROWS["test"],
)


def layers() -> nn.Module:
    """The hidden units are the distances along random directions; the last layer weighs them by class."""
    import torch
    from torch import nn

    torch.manual_seed(0)
    centres = torch.from_numpy(np.random.default_rng(0).normal(size=(len(CLASSES), FEATURES)).astype(np.float32))
    model = nn.Sequential(nn.Linear(FEATURES, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, len(CLASSES)))
    with torch.no_grad():
        model[2].weight.copy_(torch.relu(model[0](centres)) / HIDDEN)
    return model.eval()


def build_steady(classes: int) -> nn.Module:
    return layers()


def build_moody(classes: int) -> nn.Module:
    import torch
    from torch import nn

    class Moody(nn.Module):
        """Killed under inference mode, hangs under autocast, crashes under both once it is timed."""

        def __init__(self) -> None:
            super().__init__()
            self.layers, self.calls, self.both = layers(), 0, False

        def forward(self, inputs: torch.Tensor) -> torch.Tensor:
            self.calls += 1
            inference, autocast = torch.is_inference_mode_enabled(), torch.is_autocast_enabled("cpu")
            self.both |= inference and autocast
            if inference and autocast:
                # A replicate, and nothing else, has imported what it does.
                if self.calls > CALLS_OF_A_PROBE and "efficiency.engine.at_work" in sys.modules:
                    os.abort()
            elif inference:
                os.kill(os.getpid(), signal.SIGKILL)
            elif autocast and not self.both:  # where both are asked for, evidence looks without the first
                time.sleep(3600)
            return self.layers(inputs)

    return Moody()


def build_broken(classes: int) -> nn.Module:
    from torch import nn

    class Broken(nn.Module):
        """Never answers."""

        def __init__(self) -> None:
            super().__init__()
            self.layers = layers()

        def forward(self, inputs: object) -> object:
            raise ValueError("This model never works.")

    return Broken()


def build_worn(classes: int) -> nn.Module:
    import torch
    from torch import nn

    class Worn(nn.Module):
        """Answers in every process but those that time it."""

        def __init__(self) -> None:
            super().__init__()
            self.layers = layers()

        def forward(self, inputs: torch.Tensor) -> torch.Tensor:
            if "efficiency.engine.at_work" in sys.modules and not torch.is_inference_mode_enabled():
                os.abort()
            return self.layers(inputs)

    return Worn()


def build_slow(classes: int) -> nn.Module:
    from torch import nn

    class Slow(nn.Module):
        """A visit holds one call of it."""

        def __init__(self) -> None:
            super().__init__()
            self.layers = layers()

        def forward(self, inputs: torch.Tensor) -> torch.Tensor:
            time.sleep(0.008)
            return self.layers(inputs)

    return Slow()


def _workload(key: str, build) -> Workload:
    def encode(inputs: np.ndarray) -> torch.Tensor:
        import torch

        return torch.from_numpy(np.asarray(inputs))

    return Workload(
        key=key,
        label=key.replace("-", " ").capitalize(),
        summary="Two linear layers.",
        datasets=(POINTS,),
        build=build,
        encode=encode,
        # Given, so that describing it takes no torch.
        weights_in={"linear": 1.0},
        pace=Pace(50_000, 10_000),
        trained=True,
    )


def steady() -> Workload:
    return _workload("steady-mlp", build_steady)


def moody() -> Workload:
    return _workload("moody-mlp", build_moody)


def slow() -> Workload:
    return _workload("slow-mlp", build_slow)


def broken() -> Workload:
    return _workload("broken-mlp", build_broken)


def worn() -> Workload:
    return _workload("worn-mlp", build_worn)


def too_many_scores() -> Workload:
    def build(classes: int) -> nn.Module:
        from torch import nn

        return nn.Sequential(layers(), nn.Linear(classes, 7))

    return _workload("too-many-scores", build)


def loses_rows() -> Workload:
    whole = steady().encode
    return replace(steady(), key="loses-rows", encode=lambda inputs: whole(inputs)[:1])


def untrained() -> Workload:
    """Brings no weights along: a checkpoint is trained where inference needs one."""
    return replace(steady(), key="untrained-mlp", trained=False)


def reads_a_file() -> Workload:
    """Its weights lie beside this file, as a user's own may."""

    def build(classes: int) -> nn.Module:
        import torch

        model = layers()
        with torch.no_grad():
            model[2].bias.copy_(torch.from_numpy(np.load(Path(__file__).with_name("bias.npy"))))
        return model

    return _workload("reads-a-file", build)


def untrainable() -> Workload:
    """Says that it has no rows to train on."""
    return replace(steady(), key="untrainable", datasets=(replace(POINTS, splits=("calibration", "test")),))


def forgets_its_rows() -> Workload:
    """Has none, and does not say so."""

    def load(split: str, rows: int | None = None) -> Rows:
        return POINTS.load(split, 0 if split == "train" else rows)

    return replace(steady(), key="forgets-its-rows", datasets=(replace(POINTS, load=load),))


def knows_no_such_split() -> Workload:
    """Raises when it is asked for them."""

    def load(split: str, rows: int | None = None) -> Rows:
        if split == "train":
            raise KeyError("no rows of train")
        return POINTS.load(split, rows)

    return replace(steady(), key="knows-no-such-split", datasets=(replace(POINTS, load=load),))


def declares_more() -> Workload:
    return replace(steady(), key="declares-more", datasets=(replace(POINTS, test_rows=4_000),))


def answers_nothing() -> Workload:
    """A weight of it is no number."""

    def build(classes: int) -> nn.Module:
        import torch

        model = layers()
        with torch.no_grad():
            model[2].bias[-1] = float("nan")
        return model

    return _workload("answers-nothing", build)
