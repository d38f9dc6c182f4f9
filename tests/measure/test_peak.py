"""Peak rates of products: a kernel that is slow on a small one is not asked for a large one."""

from __future__ import annotations

import time
from collections.abc import Callable

from efficiency.measure.peak import FIRST_SIZE, SIZES, Product, rate_gops


def taking(gops: float, asked: list[int]) -> Product:
    """Products that run at this rate, and note the sizes that they are asked for."""

    def make(n: int) -> Callable[[], object]:
        asked.append(n)
        return lambda: time.sleep(2 * n**3 / 1e9 / gops)

    return make


def test_a_kernel_without_instructions_of_its_own_is_rated_by_a_small_product() -> None:
    asked: list[int] = []
    rate = rate_gops(taking(2.0, asked), SIZES)
    assert asked == [FIRST_SIZE]
    assert 0 < rate <= 2.0


def test_a_fast_kernel_is_rated_by_its_best_size() -> None:
    asked: list[int] = []
    assert rate_gops(taking(200.0, asked), SIZES) > 50
    assert asked == [FIRST_SIZE, *SIZES]


def test_a_product_that_is_missing_has_no_rate() -> None:
    def make(n: int) -> Callable[[], object]:
        raise NotImplementedError

    assert rate_gops(make, SIZES) == 0.0
