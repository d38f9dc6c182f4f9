"""Arrays as JSON text: little-endian bytes, compressed, in base 64."""

import base64
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray


def to_text(array: NDArray[Any]) -> dict[str, Any]:
    """Type, shape and content."""
    plain = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    content = base64.b64encode(zlib.compress(plain.tobytes(), 1)).decode()
    return {"type": plain.dtype.str, "shape": list(plain.shape), "content": content}


def from_text(text: dict[str, Any]) -> NDArray[Any]:
    """The array of `to_text`."""
    content = zlib.decompress(base64.b64decode(text["content"]))
    return np.frombuffer(content, dtype=text["type"]).reshape(text["shape"])
