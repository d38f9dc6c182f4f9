"""Energy against made-up counters: those of a machine that is idle, works, wraps, is shut or stands still."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

from efficiency.measure import energy
from efficiency.measure.energy import Meter

RANGE_UJ = 262_143_328_850
IDLE_W, WORK_W, CALL_S = 20.0, 50.0, 0.002


class Machine:
    """Sockets under a powercap tree, and a clock that moves when it sleeps or works."""

    def __init__(self, root: Path, sockets: int = 1, start_uj: int = 1_000, idle_w: float = IDLE_W) -> None:
        self.root, self.clock, self.idle_w, self.sockets = root, 0.0, idle_w, sockets
        self.energy_uj = float(start_uj)
        for number in range(sockets):
            self.zone(f"intel-rapl:{number}", f"package-{number}", start_uj)
            self.zone(f"intel-rapl:{number}:0", "core", 7)
            self.zone(f"intel-rapl:{number}:1", "dram", 7)
        self.zone("intel-rapl:9", "psys", 7)
        self.zone("intel-rapl-mmio:0", "package-0", 7)

    def zone(self, place: str, name: str, energy_uj: int) -> None:
        folder = self.root / place
        folder.mkdir(parents=True)
        (folder / "name").write_text(f"{name}\n")
        (folder / "energy_uj").write_text(f"{energy_uj}\n")
        (folder / "max_energy_range_uj").write_text(f"{RANGE_UJ}\n")

    def files(self) -> list[Path]:
        return [self.root / f"intel-rapl:{number}" / "energy_uj" for number in range(self.sockets)]

    def pass_time(self, seconds: float, watts: float) -> None:
        self.clock += seconds
        self.energy_uj += 1e6 * seconds * watts
        for file in self.files():
            file.write_text(f"{round(self.energy_uj) % RANGE_UJ}\n")

    def sleep(self, seconds: float) -> None:
        self.pass_time(seconds, self.idle_w)

    def call(self) -> None:
        self.pass_time(CALL_S, self.idle_w + WORK_W)

    def measure(self, examples: int = 1) -> energy.Energy:
        meter = energy.rapl(self.root)
        assert isinstance(meter, Meter), meter
        return energy.measure(meter, self.call, examples, now=lambda: self.clock, sleep=self.sleep)


def test_energy_is_what_an_example_takes_above_idling(tmp_path):
    found = Machine(tmp_path).measure()
    assert found.mj == pytest.approx(1e3 * WORK_W * CALL_S, rel=1e-4)  # 100 mJ a call
    assert found.with_idle_mj == pytest.approx(1e3 * (WORK_W + IDLE_W) * CALL_S, rel=1e-4)
    assert found.idle_w == pytest.approx(IDLE_W, rel=1e-4)
    assert (found.source, found.reason, found.windows) == ("rapl package, measured", "", energy.WINDOWS)
    assert found.low_mj <= found.mj <= found.high_mj


def test_a_batch_shares_the_energy_of_its_call(tmp_path):
    assert Machine(tmp_path).measure(examples=8).mj == pytest.approx(1e3 * WORK_W * CALL_S / 8, rel=1e-4)


def test_the_sockets_are_added_up_and_nothing_else_is(tmp_path):
    found = Machine(tmp_path, sockets=2).measure()
    assert found.mj == pytest.approx(2e3 * WORK_W * CALL_S, rel=1e-4)


@pytest.mark.parametrize("joules_before", [1, 6, 20, 40])
def test_a_counter_that_begins_anew_loses_nothing(tmp_path, joules_before):
    """In the first idling, in a window of work, and later."""
    machine = Machine(tmp_path, start_uj=RANGE_UJ - joules_before * 1_000_000)
    assert machine.measure().mj == pytest.approx(1e3 * WORK_W * CALL_S, rel=1e-4)
    assert int(machine.files()[0].read_text()) < RANGE_UJ // 2, "It did begin anew."


def test_a_call_longer_than_a_window_is_made_once_for_each(tmp_path, monkeypatch):
    monkeypatch.setattr(energy, "WINDOW_S", CALL_S / 2)
    calls = []
    machine = Machine(tmp_path)
    meter = energy.rapl(tmp_path)
    heard: list[int] = []

    def call() -> None:
        calls.append(machine.clock)
        machine.call()

    found = energy.measure(meter, call, 1, on_window=heard.append, now=lambda: machine.clock, sleep=machine.sleep)
    assert len(calls) == energy.WINDOWS
    assert heard == list(range(energy.WINDOWS))
    assert found.mj == pytest.approx(1e3 * WORK_W * CALL_S, rel=1e-4)


def test_without_counters_there_is_a_reason(tmp_path):
    assert "no power counters" in energy.rapl(tmp_path / "nowhere")
    assert "no power counters" in energy.rapl(tmp_path)
    Machine(tmp_path).zone("intel-rapl:8", "psys", 7)
    for file in tmp_path.glob("intel-rapl:0*/name"):
        file.write_text("psys")
    assert "of no processor package" in energy.rapl(tmp_path)


def test_counters_that_may_not_be_read_say_how_they_could(tmp_path, monkeypatch):
    machine = Machine(tmp_path, sockets=2)
    machine.files()[1].chmod(0)
    if os.access(machine.files()[1], os.R_OK):  # the administrator reads everything
        whole = Path.read_text

        def shut(self: Path, *arguments: object) -> str:
            if self == machine.files()[1]:
                raise PermissionError(13, "Permission denied", str(self))
            return whole(self, *arguments)

        monkeypatch.setattr(Path, "read_text", shut)
    said = energy.rapl(tmp_path)
    assert "administrator alone" in said
    assert f"sudo chmod a+r {tmp_path}/intel-rapl:*/energy_uj" in said


@pytest.mark.parametrize("spoilt", ["energy_uj", "max_energy_range_uj"])
def test_counters_that_make_no_sense_are_not_believed(tmp_path, spoilt):
    machine = Machine(tmp_path)
    (machine.root / "intel-rapl:0" / spoilt).write_text("<not counted>\n")
    assert "cannot be read" in energy.rapl(tmp_path)


def test_a_counter_that_is_gone_midway_leaves_a_reason_and_no_figure(tmp_path):
    machine = Machine(tmp_path)
    meter = energy.rapl(tmp_path)

    def call() -> None:
        machine.call()
        machine.files()[0].unlink()

    found = energy.measure(meter, call, 1, now=lambda: machine.clock, sleep=machine.sleep)
    assert (found.mj, found.source) == (None, None)
    assert "could not be read to the end" in found.reason


def test_a_counter_that_stands_still_is_no_measurement(tmp_path):
    Machine(tmp_path)
    still = Machine(tmp_path / "other", idle_w=0.0)
    meter = energy.rapl(tmp_path)
    found = energy.measure(meter, still.call, 1, now=lambda: still.clock, sleep=still.sleep)
    assert (found.mj, found.source) == (None, None)
    assert "does not move" in found.reason


def test_work_that_draws_no_more_than_idling_is_no_measurement(tmp_path):
    machine = Machine(tmp_path)
    meter = energy.rapl(tmp_path)
    found = energy.measure(meter, lambda: machine.sleep(CALL_S), 1, now=lambda: machine.clock, sleep=lambda seconds: (
        machine.pass_time(seconds, IDLE_W + 1.0)
    ))  # fmt: skip
    assert (found.mj, found.source) == (None, None)
    assert "told from idling" in found.reason


class FakeNvml(ModuleType):
    """What is used of nvidia-ml-py, for a GPU that counts or does not."""

    class NVMLError(Exception):
        pass

    def __init__(self, machine: Machine | None) -> None:
        super().__init__("pynvml")
        self.machine = machine

    def nvmlInit(self) -> None:
        pass

    def nvmlDeviceGetHandleByUUID(self, uuid: str) -> str:
        if uuid != "GPU-1":
            raise self.NVMLError("Not Found")
        return uuid

    def nvmlDeviceGetTotalEnergyConsumption(self, handle: str) -> int:
        if self.machine is None:
            raise self.NVMLError("Not Supported")
        return round(self.machine.energy_uj / 1e3)


def test_a_gpus_counter_is_in_millijoules(tmp_path, monkeypatch):
    machine = Machine(tmp_path)
    monkeypatch.setitem(sys.modules, "pynvml", FakeNvml(machine))
    meter = energy.nvml("GPU-1")
    found = energy.measure(meter, machine.call, 1, now=lambda: machine.clock, sleep=machine.sleep)
    assert found.mj == pytest.approx(1e3 * WORK_W * CALL_S, rel=1e-2)
    assert found.source == "nvml gpu, measured"


def test_a_gpu_without_a_counter_has_a_reason(monkeypatch):
    monkeypatch.setitem(sys.modules, "pynvml", FakeNvml(None))
    assert "Not Supported" in energy.nvml("GPU-1")
    assert "Not Found" in energy.nvml("GPU-2")
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert "pip install nvidia-ml-py" in energy.nvml("GPU-1")


def test_a_counter_that_goes_back_where_it_never_wraps_is_not_believed():
    readings = iter([5, 4])
    found = energy.measure(Meter("x", (energy.Counter(lambda: next(readings)),)), lambda: None, 1, sleep=lambda s: None)
    assert found.mj is None
    assert "went back" in found.reason
