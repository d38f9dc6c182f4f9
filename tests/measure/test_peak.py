"""Peak rates of products: a kernel that is slow on a small one is not asked for a large one."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from efficiency.measure.peak import CUDA_SIZES, FIRST_SIZE, SIZES, SIZES_FOR_MANY, Product, rate_gops


def taking(gops: float, asked: list[int], start_s: float = 0.0) -> Product:
    """Products that run at this rate once they are started, and note the sizes that they are asked for."""

    def make(n: int) -> Callable[[], object]:
        asked.append(n)
        return lambda: time.sleep(start_s + 2 * n**3 / 1e9 / gops)

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


@pytest.mark.parametrize("sizes", [CUDA_SIZES, SIZES_FOR_MANY])
def test_a_fast_kernel_that_is_slow_to_start_is_rated_by_the_largest(sizes: tuple[int, ...]) -> None:
    asked: list[int] = []
    assert rate_gops(taking(20_000.0, asked, start_s=0.001), sizes) > 1_000
    assert asked == [FIRST_SIZE, *sizes]


def test_a_product_that_is_missing_has_no_rate() -> None:
    def make(n: int) -> Callable[[], object]:
        raise NotImplementedError

    assert rate_gops(make, SIZES) == 0.0
