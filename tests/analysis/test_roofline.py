"""The least time of a call: by arithmetic, or by memory where the cache does not hold what it reads."""

from __future__ import annotations

import pytest

from efficiency.analysis import roofline
from efficiency.ceiling import Ceiling, Rates

WORK = {"operations_per_row": 2e9, "weight_bytes": 80e6, "bytes_per_row": 1e6}
ONE = Rates("cpu", 1, {"fp32": 100.0, "bf16": 200.0, "int8": 400.0}, 20.0)
FOUR = Rates("cpu", 4, {"fp32": 400.0, "bf16": 800.0, "int8": 1600.0}, 40.0)
CEILING = Ceiling("abc", "2026-11-24T12:00:00+00:00", 30.0, (ONE, FOUR))


def least(batch_size=1, threads=1, arithmetic="fp32", **other):
    return roofline.attainable(WORK, CEILING, "cpu", threads, batch_size, arithmetic, **other)


def test_arithmetic_limits_a_call_that_reads_little():
    found = least(batch_size=10)
    assert (found.ms, found.limited_by) == (pytest.approx(200.0), "arithmetic")  # 20 GFLOP at 100 a second
    assert found.operations == 20e9
    assert found.bytes == 90e6


def test_memory_limits_one_that_computes_fast_on_many_weights():
    found = least(threads=4, arithmetic="int8")
    assert (found.ms, found.limited_by) == (pytest.approx(81e6 / 40e9 * 1e3), "memory")
    assert found.ms > 2e9 / 1600e9 * 1e3


def test_weights_that_are_stored_in_8_bits_are_read_so_and_fit_into_the_cache():
    found = least(threads=4, arithmetic="int8", stored_share=0.25)
    assert found.bytes == pytest.approx(21e6)
    assert (found.ms, found.limited_by) == (pytest.approx(1.25), "arithmetic")


@pytest.mark.parametrize(("threads", "gops"), [(1, 100.0), (2, 200.0), (3, 300.0), (4, 400.0), (9, 400.0)])
def test_threads_in_between_have_their_part(threads, gops):
    assert CEILING.at("cpu", threads).gops["fp32"] == pytest.approx(gops)


def test_what_was_not_measured_is_unknown():
    assert least(arithmetic="fp16") is None
    assert roofline.attainable(WORK, CEILING, "cuda", 1, 1, "fp32") is None


@pytest.mark.parametrize(
    ("share", "kept", "said"),
    [
        (
            23.4,
            {"arithmetic": "int8", "limited_by": "arithmetic"},
            "23 % of what this processor can do (limited by",
        ),
        (0.42, {"limited_by": "memory"}, "Reaches 0.42 % of what this processor can do (limited by memory)."),
        (
            134.2,
            {"limited_by": "arithmetic", "arithmetic": "fp32"},
            "while the peak was measured, or its kernels are faster",
        ),
        (50.0, {"device": "cuda", "arithmetic": "bf16"}, "what this GPU can do (limited by arithmetic in BF16)."),
    ],
)
def test_the_sentence(share, kept, said):
    assert said in roofline.sentence(share, kept)
