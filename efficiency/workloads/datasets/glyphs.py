"""Glyphs: synthetic 28×28 images of 47 characters, drawn with the font that Pillow carries.

The classes are those of EMNIST Balanced (digits, capitals, and the small letters whose shape
differs from their capital), so look-alikes such as 0/O and 1/I stay in. Every image is placed,
turned, sheared, squeezed, blurred, dimmed and made noisy at random, so that a small FP32 network
lands near 95 % and a loss of half a point can be seen on the 7,000 test images. Images are made in
blocks, each from its own seed: the first rows of a split are the same however many are asked for.
"""

import hashlib
import math
import string
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from PIL import __version__ as pillow

from efficiency.workloads.base import Dataset, Rows, Split
from efficiency.workloads.datasets.cache import Arrays, cached

CLASSES = tuple(string.digits + string.ascii_uppercase + "abdefghnqrt")
SIDE = 28
BLOCK = 500
ROWS: dict[Split, int] = {"train": 20_000, "calibration": 1_000, "test": 7_000}
FONT_SIZES = range(18, 27)
VERSION = 1


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size=size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise RuntimeError("Pillow was built without FreeType, so the glyphs cannot be drawn.")
    return font


def _draw(character: str, rng: np.random.Generator) -> NDArray[np.uint8]:
    """One image [28, 28], uint8, white on black."""
    canvas = Image.new("L", (SIDE, SIDE))
    font = _font(int(rng.choice(FONT_SIZES)))
    ImageDraw.Draw(canvas).text((SIDE / 2, SIDE / 2), character, fill=255, font=font, anchor="mm")
    angle = math.radians(rng.normal(0, 14))
    shear, squeeze = rng.normal(0, 0.18), rng.uniform(0.78, 1.3)
    cos, sin = math.cos(angle), math.sin(angle)
    a, b = cos * squeeze, (shear * cos - sin)
    d, e = sin * squeeze, (shear * sin + cos)
    centre = SIDE / 2
    shift_x, shift_y = rng.normal(0, 1.6, size=2)
    matrix = (a, b, centre - (a + b) * centre + shift_x, d, e, centre - (d + e) * centre + shift_y)
    image = canvas.transform((SIDE, SIDE), Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR)
    image = image.filter(ImageFilter.GaussianBlur(float(rng.uniform(0, 1.2))))
    pixels = np.asarray(image, dtype=np.float64) * rng.uniform(0.4, 1.0) + rng.uniform(0, 40)
    pixels += rng.normal(0, rng.uniform(8, 42), size=pixels.shape)
    return np.clip(np.rint(pixels), 0, 255).astype(np.uint8)


def _block(split: Split, index: int) -> Arrays:
    def make() -> Arrays:
        rng = np.random.default_rng([VERSION, list(ROWS).index(split), index])
        labels = rng.integers(0, len(CLASSES), size=BLOCK)
        images = np.stack([_draw(CLASSES[label], rng) for label in labels])
        return {"inputs": images, "labels": labels.astype(np.int64)}

    # Another Pillow may draw otherwise, and blocks of two of them must not be mixed.
    return cached(f"glyphs-{VERSION}-pillow-{pillow}-{split}-{index:03d}", make)


def load(split: Split, rows: int | None = None) -> Rows:
    """The first `rows` glyphs of a split: inputs [N, 28, 28] uint8."""
    rows = min(rows or ROWS[split], ROWS[split])
    blocks = [_block(split, index) for index in range(math.ceil(rows / BLOCK))]
    inputs = np.concatenate([block["inputs"] for block in blocks])[:rows]
    labels = np.concatenate([block["labels"] for block in blocks])[:rows]
    return Rows(inputs, labels.astype(np.int64))


def fingerprint() -> str:
    """Hash of the first test block: it changes with the font, Pillow's drawing or the recipe."""
    block = _block("test", 0)
    digest = hashlib.sha256(block["inputs"].tobytes() + block["labels"].tobytes())
    return f"glyphs-{VERSION}-{digest.hexdigest()[:16]}"


GLYPHS = Dataset(
    key="glyphs",
    label="Glyphs (synthetic)",
    summary="Synthetic 28×28 images of 47 characters with look-alikes, drawn with Pillow's font.",
    kind="image",
    classes=CLASSES,
    load=load,
    fingerprint=fingerprint,
    test_rows=ROWS["test"],
)
