"""What the machine can do: really measured, kept, and never while a study has the machine."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from efficiency import ceiling
from efficiency.analysis import machine_words
from efficiency.engine import ceilings, turn
from efficiency.errors import EfficiencyError
from efficiency.machine import this_machine


def test_it_is_measured_in_a_child_kept_and_not_measured_again_for_a_study(home):
    machine, heard = this_machine(), []
    assert ceiling.known(machine.key) is None
    found = ceilings.measure_alone(machine, heard.append)
    assert heard[0] == "with 1 thread"
    # Where other programs have the cores, what several threads reach is not believed.
    assert {1} <= {rates.threads for rates in found.rates if rates.device == "cpu"} <= {1, machine.threads}
    one = found.at("cpu", 1)
    # Any processor of the last twenty years, and none of the next: wrong units would be out by a thousand.
    assert 0.5 < one.memory_gb_s < 2_000
    assert all(1 < rate < 50_000 for rate in one.gops.values())
    # Where oneDNN is kept from them, instructions for INT8 are seen to be missing.
    if {"avx512_vnni", "avx_vnni"} & set(machine.instruction_sets):
        assert one.gops[ceiling.WITHOUT_VNNI] < 0.9 * one.gops["int8"]
    else:
        assert ceiling.WITHOUT_VNNI not in one.gops
    assert ceiling.known(machine.key) == found
    if found.at("cpu", machine.threads) is not None:
        assert ceilings.known_or_measured(machine) == found


def rated(threads: int, **gops: float) -> ceiling.Rates:
    return ceiling.Rates("cpu", threads, gops, 20.0)


def test_several_threads_below_one_are_not_believed_and_measured_again(home, monkeypatch):
    """As seen beside other programs: 2.8 GFLOP/s with two threads where one had 235."""
    busy = ceiling.Ceiling("abc", "", None, (rated(1, fp32=235, int8=1005), rated(2, fp32=2.8, int8=4.2)))
    quiet = ceiling.Ceiling("abc", "", None, (rated(1, fp32=200, int8=900), rated(2, fp32=470, int8=1900)))
    for second, threads in ((busy, [1]), (quiet, [1, 2])):
        measured = iter((busy, second))
        monkeypatch.setattr(ceilings, "_measured", lambda *_, measured=measured: next(measured))
        found = ceilings.measure(this_machine())
        assert [rates.threads for rates in found.rates] == threads
        assert found.at("cpu", 1).gops == {"fp32": 235, "int8": 1005}
        assert (found.at("cpu", 2) is None) == (threads == [1])
        two = replace(this_machine(), cores=2.0, logical_cores=2)
        assert ("end them and measure again" in machine_words.doubted(found, two)) == (threads == [1])
        assert ceiling.known("abc") == found


def test_a_study_that_is_measured_is_not_disturbed(home):
    with turn.taken("some-study", lambda holder: None), pytest.raises(EfficiencyError, match="some-study") as refused:
        ceilings.measure_alone(this_machine())
    assert "--" not in str(refused.value), "The page Machine and `claims` say it, too."


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"machine_key": 1, "rates": [1]}', '{"rates": null}'])
def test_a_file_that_is_broken_is_as_if_it_were_not_there(home, text):
    folder = home / "cache" / "ceilings"
    folder.mkdir(parents=True)
    (folder / "abc.json").write_text(text)
    assert ceiling.known("abc") is None


def test_what_was_kept_of_a_busy_machine_is_not_believed_either(home):
    ceiling.keep(ceiling.Ceiling("abc", "", None, (rated(1, fp32=235), rated(2, fp32=2.8))))
    assert [rates.threads for rates in ceiling.known("abc").rates] == [1]


def test_a_ceiling_travels_as_json():
    kept = ceiling.Ceiling("abc", "2026-11-24T12:00:00+00:00", None, (ceiling.Rates("cpu", 1, {"fp32": 1.5}, 2.5),))
    assert ceiling.Ceiling.from_dict(json.loads(json.dumps(kept.as_dict()))) == kept
