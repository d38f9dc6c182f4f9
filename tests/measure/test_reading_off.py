"""Answers, size and memory of a model."""

from __future__ import annotations

import mmap
import sys
import weakref

import numpy as np
import pytest
import torch
from torch import nn

from efficiency.engine import arrays
from efficiency.measure import accuracy, memory, size


def test_the_answer_is_the_class_with_the_highest_logit_in_the_order_of_rows():
    classes = torch.randint(0, 300, (1000,), generator=torch.Generator().manual_seed(0))
    logits = nn.functional.one_hot(classes, 300).float()
    batches = []

    def call(inputs: torch.Tensor) -> torch.Tensor:
        batches.append(len(inputs))
        return inputs

    shares = []
    answered = accuracy.predictions(call, logits.split(accuracy.BATCH), on_batch=shares.append)
    assert answered.dtype == np.uint16
    assert np.array_equal(answered, classes.numpy())
    assert batches == [256, 256, 256, 232]
    assert shares == [0.25, 0.5, 0.75, 1.0]


def test_answers_are_read_off_where_gradients_are_recorded_and_no_graph_is_kept():
    weight = torch.ones(3, requires_grad=True)
    made, heard = [], []

    def call(inputs: torch.Tensor) -> torch.Tensor:
        assert all(result() is None for result in made), "the last batch's result holds its activations"
        result = inputs * weight
        made.append(weakref.ref(result))
        return result

    answered = accuracy.predictions(call, torch.eye(3).split(1), on_logits=heard.append)
    assert answered.tolist() == [0, 1, 2]
    assert np.array_equal(np.concatenate(heard), np.eye(3))


def test_the_size_is_that_of_the_weights_as_they_are_stored():
    model = nn.Linear(1000, 1000)
    assert 0 <= size.serialized_bytes(model) - 4 * 1_001_000 < 10_000
    assert size.serialized_bytes(model.half()) == pytest.approx(2 * 1_001_000, abs=10_000)


def test_int8_weights_count_as_they_are_packed():
    from torch.ao.quantization import quantize_dynamic

    from efficiency.techniques import int8

    with int8.known_warnings():
        quantized = quantize_dynamic(nn.Sequential(nn.Linear(1000, 1000)), dtype=torch.qint8)
    assert size.serialized_bytes(quantized) == pytest.approx(1_004_000, abs=20_000)


@pytest.mark.skipif(sys.platform != "linux", reason="Only Linux keeps a high-water mark.")
def test_the_peak_is_the_most_that_was_held_since_the_reset():
    def hold(megabytes: int) -> None:
        with mmap.mmap(-1, megabytes * 1_000_000) as held:
            held.write(b"x" * 1_000_000 * megabytes)

    hold(120)
    assert memory.reset_peak()
    before = memory.peak_mb()
    assert before == pytest.approx(memory.resident_mb(), abs=20)
    hold(40)
    assert 35 < memory.peak_mb() - before < 110
    assert memory.resident_mb() < memory.peak_mb()


@pytest.mark.parametrize(
    "array",
    [
        np.arange(12, dtype=np.int64).reshape(6, 2),
        np.array([], dtype=np.uint16),
        np.arange(12, dtype=np.float32).reshape(3, 4).T,
        np.arange(3, dtype=">i4"),
    ],
    ids=str,
)
def test_arrays_pass_through_text(array):
    import json

    found = arrays.from_text(json.loads(json.dumps(arrays.to_text(array))))
    assert np.array_equal(found, array)
    assert found.shape == array.shape
