"""The cache of preparations: whole or not there, never trusted, no larger than it may be."""

from __future__ import annotations

import os
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from efficiency import estimate, paths, workloads
from efficiency.condition import Condition
from efficiency.engine import prepared_cache, prepared_content, prepared_plan
from efficiency.errors import BadRequest
from efficiency.machine import this_machine
from efficiency.study import Entry, Variant, expand, plan_preset
from efficiency.techniques import compose

ANSWER = {"predicted": [1, 2, 3], "at": "2026-01-01T00:00:00+00:00"}
A, B, C, D, E = (32 * letter for letter in "abcde")


@pytest.fixture
def left(tmp_path: Path) -> dict[str, Path]:
    """What a probe left: what was learned, and an artefact of two files."""
    (tmp_path / "made" / "artefact" / "inner").mkdir(parents=True)
    (tmp_path / "made" / "learned").write_bytes(b"ranges")
    (tmp_path / "made" / "artefact" / "model.onnx").write_bytes(b"graph" * 1_000)
    (tmp_path / "made" / "artefact" / "inner" / "weights").write_bytes(b"weights")
    return {name: tmp_path / "made" / name for name in ("learned", "artefact", "logits")}


@pytest.fixture
def places(tmp_path: Path) -> dict[str, Path]:
    """Where another study wants it."""
    (tmp_path / "wanted").mkdir()
    return {name: tmp_path / "wanted" / name for name in ("learned", "artefact", "logits")}


def contents(place: Path) -> dict[str, bytes]:
    return {str(file.relative_to(place)): file.read_bytes() for file in place.rglob("*") if file.is_file()}


def test_what_was_left_is_put_where_it_is_wanted(left, places):
    assert prepared_cache.take(A, places) is None
    assert prepared_cache.keep(A, ANSWER, left)
    for _ in range(2):  # what is there is replaced
        assert prepared_cache.take(A, places) == ANSWER
        assert contents(places["artefact"].parent) == contents(left["artefact"].parent)
    assert prepared_cache.take(B, places) is None


@pytest.mark.parametrize("key", ["", "..", "../victim", "a", A.upper(), f"{A}/", f"{A}\n", f"../prepared/{A}"])
def test_a_name_that_no_entry_can_have_is_refused(left, places, key):
    uses = (
        prepared_cache.holds,
        prepared_cache.read,
        lambda key: prepared_cache.take(key, places),
        lambda key: prepared_cache.keep(key, ANSWER, left),
    )
    for use in uses:
        with pytest.raises(ValueError, match="is not the key of a preparation"):
            use(key)


def test_a_study_cannot_change_what_is_kept(left, places):
    prepared_cache.keep(A, ANSWER, left)
    prepared_cache.take(A, places)
    assert not os.stat(places["learned"]).st_mode & 0o222
    for name in ("learned", "artefact"):
        prepared_cache._remove(places[name])
    assert prepared_cache.take(A, places) == ANSWER


@pytest.mark.parametrize(
    "damaged", ["answer.json", "checksums.json", "learned", "artefact/model.onnx", "artefact/inner/weights"]
)
@pytest.mark.parametrize("how", ["changed", "emptied", "gone", "joined"])
def test_a_damaged_entry_is_removed_and_never_trusted(left, places, damaged, how):
    prepared_cache.keep(A, ANSWER, left)
    file = prepared_cache.folder() / A / damaged
    content = file.read_bytes()
    file.unlink()
    if how == "joined":
        file.write_bytes(content)
        file.with_name("more").write_bytes(b"")
    elif how != "gone":
        file.write_bytes(bytes([content[0] ^ 1, *content[1:]]) if how == "changed" else b"")
    assert prepared_cache.take(A, places) is None
    assert list(places["artefact"].parent.iterdir()) == []
    assert prepared_cache.held().preparations == 0
    assert prepared_cache.keep(A, ANSWER, left)
    assert prepared_cache.take(A, places) == ANSWER


def test_those_not_used_for_longest_go_first(left, places, monkeypatch):
    size = sum(map(len, contents(left["artefact"].parent).values()))
    for number, key in enumerate((A, B, C)):
        copied = {name: path.with_name(f"{name}-{key}") for name, path in left.items()}
        copied["artefact"].mkdir()
        (copied["artefact"] / "model.onnx").write_bytes(b"x" * size)
        prepared_cache.keep(key, ANSWER, copied)
        os.utime(prepared_cache.folder() / key, (number, number))
    assert prepared_cache.take(A, places)
    monkeypatch.setenv("EFFICIENCY_CACHE_GB", str((3 * size + 1_000) / 1e9))
    prepared_cache.keep(D, ANSWER, left)
    assert [prepared_cache.holds(key) for key in (A, B, C, D)] == [True, False, True, True]
    monkeypatch.setenv("EFFICIENCY_CACHE_GB", "0")
    assert not prepared_cache.keep(E, ANSWER, left)
    assert prepared_cache.held() == prepared_cache.Held(0, 0)


def test_what_two_entries_share_counts_once(left):
    for key in (A, B):
        prepared_cache.keep(key, ANSWER, left)
    small = sum(len(content) for content in contents(prepared_cache.folder() / A).values())
    assert prepared_cache.held().preparations == 2
    assert prepared_cache.held().size_bytes < 1.5 * small
    assert prepared_cache.clear().preparations == 2
    assert list(prepared_cache.folder().iterdir()) == []


@pytest.mark.parametrize("limit", ["much", "-1", "nan"])
def test_a_limit_that_is_none_is_refused(limit, monkeypatch):
    monkeypatch.setenv("EFFICIENCY_CACHE_GB", limit)
    with pytest.raises(BadRequest, match="EFFICIENCY_CACHE_GB: choose a number of gigabytes"):
        prepared_cache.limit_bytes()


def test_several_at_once_leave_one_sound_entry(left, tmp_path):
    def both(number: int) -> bool:
        wanted = {name: tmp_path / f"{number}-{name}" for name in left}
        prepared_cache.keep(A, ANSWER, left)
        found = prepared_cache.take(A, wanted)
        return found is None or (found == ANSWER and contents(wanted["artefact"]) == contents(left["artefact"]))

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(both, range(40)))
    assert prepared_cache.keep(A, ANSWER, left)
    assert prepared_cache.held().preparations == 1
    assert [path.name for path in prepared_cache.folder().iterdir()] == [A]


def test_what_a_dead_process_left_is_removed_later(left):
    prepared_cache.keep(A, ANSWER, left)
    for name, age_s in ((".making-old", 2 * prepared_cache.LEFT_OVER_S), (".making-now", 0.0)):
        (prepared_cache.folder() / name).mkdir()
        os.utime(prepared_cache.folder() / name, (time.time() - age_s,) * 2)
    prepared_cache.keep(B, ANSWER, left)
    assert sorted(path.name for path in prepared_cache.folder().iterdir()) == [".making-now", A, B]


ABOUT = {"workload": "lstm-classifier", "weights": "1", "data": "2", "test": "3", "code": ""}
HERE = this_machine()
LSTM, CNN = map(workloads.describe, ("lstm-classifier", "vision-small-cnn"))
STUDY = replace(plan_preset("quick", HERE), workloads=(LSTM.key,))


def key(
    technique="static-int8", about: dict[str, str] = ABOUT, under=Condition(), machine=HERE, workload=LSTM, **changed
) -> str:
    effort = replace(STUDY.effort, **{name: changed.pop(name) for name in tuple(changed) if name.endswith("rows")})
    entry = Entry(workload.key, Variant.of([technique]), under)
    asked = prepared_content.asked(
        replace(STUDY, effort=effort, **changed), workload, entry, prepared_content.surroundings(machine)
    )
    return prepared_cache.key_of(asked, about)


def test_whatever_a_preparation_follows_from_is_in_its_key(monkeypatch):
    renamed = replace(LSTM, datasets=(replace(LSTM.dataset(None), key="other"),))
    others = [key("qat-int8"), key(workload=CNN), key(seed=1), key(workload=renamed)]
    others += [key(**{name: 65}) for name in ("test_rows", "calibration_rows", "training_rows")]
    others += [key(about={**ABOUT, name: "other"}) for name in ABOUT]
    others += [key(under=Condition(length=32)), key(under=Condition(padding_pct=5))]
    changed = {
        "cpu_model": "other",
        "instruction_sets": ("none of this machine's",),
        "cores": 64.0,
        "gpus": ("one",),
        "cpp_compiler": None,
    }
    others += [key(machine=replace(HERE, **{name: value})) for name, value in changed.items()]
    for name in ("ONEDNN_MAX_CPU_ISA", "NVIDIA_TF32_OVERRIDE", "CUBLASLT_WORKSPACE_SIZE", "CUDNN_X", "TRITON_X"):
        with monkeypatch.context() as patch:
            patch.setenv(name, "1")
            others.append(key())
    with monkeypatch.context() as patch:
        patch.setenv("TORCHINDUCTOR_CACHE_DIR", "/elsewhere")
        elsewhere = key()
    assert elsewhere == key(), "where a compiler keeps its files decides nothing"
    with monkeypatch.context() as patch:
        patch.setattr(prepared_content, "own_code", lambda: "other")
        others.append(key())
    if HERE.cpp_compiler is None:
        others.remove(key())
    assert len({key(), *others}) == 1 + len(others)
    assert key() == key(about=dict(reversed(ABOUT.items())))


@pytest.mark.parametrize("file", ["techniques/int8_lstm.cpp", "techniques/int8_lstm.py", "engine/probe.py"])
def test_a_kernel_that_is_mended_is_another_as_any_code_is(file, tmp_path, monkeypatch):
    copy = tmp_path / "efficiency"
    shutil.copytree(paths.PROJECT / "efficiency", copy, ignore=shutil.ignore_patterns("__pycache__"))
    digest = prepared_content.own_code.__wrapped__
    before = digest()
    monkeypatch.setattr(paths, "PROJECT", tmp_path)
    assert digest() == before
    with (copy / file).open("a") as code:
        code.write("\n")
    assert digest() != before


def test_what_learns_nothing_does_not_depend_on_what_could_be_learned_from():
    assert key("channels-last") == key("channels-last", calibration_rows=1, training_rows=1)
    assert key("channels-last") != key("channels-last", test_rows=1)


def test_batch_size_matters_to_a_package_alone():
    eight = Condition(batch_size=8)
    assert key() == key(under=eight)
    assert key("torch-compile") != key("torch-compile", under=eight)


def test_what_may_be_lost_matters_to_what_spends_it_alone():
    assert key() == key(tolerance_pp=1.0)
    assert key("mixed-int8") != key("mixed-int8", tolerance_pp=1.0)


def test_a_plan_knows_what_an_earlier_study_has_prepared():
    quick = plan_preset("quick", HERE)
    entries = expand(quick, HERE)
    measured = [entry for entry in entries if entry.why_not is None and not entry.variant.control]
    assert prepared_plan.kept(quick, entries, HERE) == frozenset()
    first, later = measured[0], measured[3:]
    planned_s = [estimate.seconds(quick, HERE)]
    for entry in (first, *later):
        around = prepared_content.surroundings(HERE)
        asked = prepared_content.asked(quick, workloads.describe(entry.workload), entry, around)
        prepared_cache.keep(prepared_cache.key_of(asked, ABOUT), ANSWER, {})
        planned_s.append(estimate.seconds(quick, HERE))
    assert prepared_plan.kept(quick, entries, HERE) == {first, *later}
    assert all(earlier > later for earlier, later in pairwise(planned_s))
    for other in (replace(quick, anew=True), replace(quick, seed=1)):
        assert prepared_plan.kept(other, entries, HERE) == frozenset()
        assert estimate.seconds(other, HERE) == planned_s[0]
    some = replace(quick, effort=replace(quick.effort, calibration_rows=1))  # of no matter to what learns nothing
    assert prepared_plan.kept(some, entries, HERE) == {
        entry for entry in (first, *later) if compose.learner_of(entry.variant.techniques) is None
    }
