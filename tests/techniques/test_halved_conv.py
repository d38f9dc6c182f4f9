"""A convolution in two halves gives what the whole one gives; which is quicker is the machine's."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from efficiency.techniques.halved_conv import HalvedConv2d, halved, quicker_halved


@pytest.mark.parametrize(
    "options",
    [{"padding": 1}, {"stride": 2, "bias": False}, {"dilation": 2, "padding": "same"}],
    ids=["padded", "strided-without-bias", "dilated"],
)
@pytest.mark.parametrize("rows", [1, 3])
def test_the_halves_give_what_the_whole_gives(options: dict[str, object], rows: int) -> None:
    torch.manual_seed(0)
    whole, inputs = nn.Conv2d(8, 6, 3, **options), torch.randn(rows, 8, 9, 7)  # type: ignore[arg-type]
    with torch.no_grad():
        torch.testing.assert_close(HalvedConv2d(whole)(inputs), whole(inputs))


def test_only_what_can_be_halved_is_looked_at() -> None:
    model = nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.Conv2d(8, 8, 3, groups=2), nn.Conv2d(8, 8, 3, padding_mode="reflect", padding=1),
        nn.Sequential(nn.Conv2d(8, 8, 3), nn.ReLU()),
    )  # fmt: skip
    sample = torch.randn(1, 3, 12, 12)
    assert set(quicker_halved(model, sample)) <= {"3.0"}
    with torch.no_grad():
        before = model(sample)
        after = halved(model, ["3.0"])(sample)
    assert isinstance(model.get_submodule("3.0"), HalvedConv2d)
    torch.testing.assert_close(after, before)
