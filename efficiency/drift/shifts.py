"""The shifts: what may happen to data after a model was calibrated, each in five grades. Arrays in, arrays out.

Images are shifted as the model sees them, [N, C, H, W] in units of their own spread, and are not clipped afterwards: a
camera's gain leaves the range that was calibrated. Text is shifted as token ids [N, L].
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from efficiency.errors import UnknownName
from efficiency.workloads.base import PADDING_ID

GRADES = (1, 2, 3, 4, 5)
"""0 is the data as they are."""

Inputs = NDArray[Any]
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Shift:
    """One way to shift data; `amounts` has one for each grade, in the unit that `summary` tells.

    `move(inputs, amount, random)` gives the inputs [N, ...] shifted; a shift of what there is much of has
    `choose(labels, amount, random)` in its place, which gives the numbers [M] of the rows that stay.
    """

    key: str
    label: str
    kind: Literal["image", "text"]
    summary: str
    amounts: tuple[float, ...]
    move: Callable[[Inputs, float, np.random.Generator], Inputs] | None = None
    choose: Callable[[Labels, float, np.random.Generator], Labels] | None = None

    def of_grade(self, inputs: Inputs, labels: Labels, grade: int, seed: int) -> tuple[Inputs, Labels]:
        """Inputs [M, ...] at this grade, 1 to 5, and the numbers of their rows [M]; the same for the same seed."""
        amount, random = self.amounts[grade - 1], np.random.default_rng([seed, grade])
        rows = np.arange(len(labels)) if self.choose is None else self.choose(labels, amount, random)
        return inputs[rows] if self.move is None else self.move(inputs, amount, random), rows


def _brighter(images: Inputs, amount: float, random: np.random.Generator) -> Inputs:
    return images + np.float32(amount)


def _darker(images: Inputs, amount: float, random: np.random.Generator) -> Inputs:
    return images - np.float32(amount)


def _amplified(images: Inputs, amount: float, random: np.random.Generator) -> Inputs:
    """As a camera's gain does: black, the smallest value there is, stays black."""
    black = images.min()
    amplified: Inputs = black + np.float32(amount) * (images - black)
    return amplified


def _more_contrast(images: Inputs, amount: float, random: np.random.Generator) -> Inputs:
    return images * np.float32(amount)


def _noisier(images: Inputs, amount: float, random: np.random.Generator) -> Inputs:
    noise: Inputs = np.float32(amount) * random.standard_normal(images.shape, dtype=np.float32)
    return images + noise


def _blurred(images: Inputs, amount: float, random: np.random.Generator) -> Inputs:
    sigma = (0, 0, amount * images.shape[-2] / 100, amount * images.shape[-1] / 100)
    blurred: Inputs = ndimage.gaussian_filter(images, sigma, mode="nearest")
    return blurred


def _translated(images: Inputs, amount: float, random: np.random.Generator) -> Inputs:
    """Each image in a direction of its own; what moves in is the background, its smallest value."""
    out = np.empty_like(images)
    angles = random.uniform(0, 2 * np.pi, len(images))
    for row, (image, angle) in enumerate(zip(images, angles, strict=True)):
        far = (
            round(amount / 100 * image.shape[-2] * np.sin(angle)),
            round(amount / 100 * image.shape[-1] * np.cos(angle)),
        )
        out[row] = ndimage.shift(image, (0, *far), order=0, mode="constant", cval=float(image.min()))
    return out


def _wrong_tokens(tokens: Inputs, amount: float, random: np.random.Generator) -> Inputs:
    """Tokens of other rows in their place, so that each is as frequent as it was."""
    shuffled = tokens[tokens != PADDING_ID]
    hit = (random.random(tokens.shape) < amount / 100) & (tokens != PADDING_ID)
    out = tokens.copy()
    out[hit] = random.choice(shuffled, int(hit.sum()))
    return out


def _truncated(tokens: Inputs, amount: float, random: np.random.Generator) -> Inputs:
    lengths = (tokens != PADDING_ID).sum(axis=1, keepdims=True)
    kept = np.maximum(1, np.ceil(lengths * (1 - amount / 100)))
    return np.where(np.arange(tokens.shape[1]) < kept, tokens, PADDING_ID)


def _other_half(labels: Labels, amount: float, random: np.random.Generator) -> Labels:
    """Rows of the first half of the classes leave, until those of the second half make up 50 % and the amount."""
    of_first = labels <= np.median(np.unique(labels))
    first, second = np.flatnonzero(of_first), np.flatnonzero(~of_first)
    staying = random.permutation(first)[: round(len(second) * (50 - amount) / (50 + amount))]
    return np.sort(np.concatenate([staying, second]))


SHIFTS: dict[str, Shift] = {
    shift.key: shift
    for shift in (
        Shift("brightness", "Brightness", "image", "Added to every pixel, in standard deviations of the data.",
              (0.25, 0.5, 1.0, 2.0, 4.0), _brighter),
        Shift("darkness", "Darkness", "image", "Taken from every pixel, in standard deviations of the data.",
              (0.25, 0.5, 0.75, 1.0, 1.5), _darker),
        Shift("gain", "Gain", "image", "Every pixel's distance from black times this much, as a camera's gain does.",
              (1.5, 2.0, 3.0, 4.0, 5.0), _amplified),
        Shift("contrast", "Contrast", "image", "Every pixel's distance from the mean of the data times this much.",
              (1.25, 1.5, 2.0, 3.0, 5.0), _more_contrast),
        Shift("noise", "Noise", "image", "Normal noise, in standard deviations of the data.",
              (0.2, 0.4, 0.8, 1.2, 2.0), _noisier),
        Shift("blur", "Blur", "image", "Width of a Gaussian blur, in percent of the image's side.",
              (1.0, 2.0, 3.0, 4.5, 6.0), _blurred),
        Shift("translation", "Translation", "image", "How far each image moves, in percent of its side.",
              (5.0, 10.0, 15.0, 20.0, 30.0), _translated),
        Shift("token-noise", "Token noise", "text", "Percent of the tokens replaced by those of other rows.",
              (5.0, 10.0, 20.0, 35.0, 50.0), _wrong_tokens),
        Shift("truncation", "Truncation", "text", "Percent of every row's tokens cut off at the end.",
              (10.0, 25.0, 50.0, 70.0, 85.0), _truncated),
        Shift("other-classes", "Other half of the classes", "text",
              "Percentage points by which the second half of the classes grows beyond its half of the rows.",
              (10.0, 20.0, 30.0, 40.0, 50.0), choose=_other_half),
    )
}  # fmt: skip


def get(key: str) -> Shift:
    """The shift of that key; raises `UnknownName` with the nearest one."""
    if key not in SHIFTS:
        raise UnknownName("shift", key, SHIFTS)
    return SHIFTS[key]


def of_kind(kind: str) -> list[Shift]:
    """Those for images or for text; none for other data."""
    return [shift for shift in SHIFTS.values() if shift.kind == kind]
