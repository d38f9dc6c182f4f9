"""What a report says is to be shipped, and its recipe: the whole script of what Decide ships, or why there is none."""

from __future__ import annotations

import html as html_module
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import synthetic

from efficiency import cli, paths
from efficiency.machine import this_machine
from efficiency.report import content, html, markdown
from efficiency.report.content import Report
from efficiency.results import documents
from efficiency.results.store import Store
from efficiency.study import QUICK_WORKLOADS, Variant, plan_preset

LSTM = "lstm-classifier"
NASTY = '</code></pre><script>alert(1)</script>` ```` "'
Ask = Callable[..., None]


@pytest.fixture
def store(home: Path) -> Iterator[Store]:
    with Store.open() as opened:
        yield opened


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Runs a command of the command line."""

    def command(*arguments: str) -> None:
        monkeypatch.setattr(sys, "argv", ["efficiency", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert not ended.value.code

    return command


def changed(store: Store, study: dict[str, Any] | None = None, **columns: Callable[[dict[str, Any]], Any]) -> str:
    """A study some of whose columns are another's, and what is said of itself."""
    document = documents.to_json(store, synthetic.fill(store))
    document["study"] |= {"name": "Changed", "command": "python -m efficiency run --name Changed"} | (study or {})
    for row in document["rows"]:
        row["columns"] |= {name: value(row["columns"]) for name, value in columns.items()}
    return documents.from_json(store, document)


def in_html(report: Report) -> list[str]:
    found = re.findall("<pre><code>(.*?)</code></pre>", html.written(report), re.DOTALL)
    return [html_module.unescape(code) for code in found]


def in_markdown(report: Report) -> list[str]:
    found = re.findall("^(`{3,})python\n(.*?)^\\1$", markdown.written(report), re.DOTALL | re.MULTILINE)
    return [code for _, code in found]


def as_read(report: Report) -> list[str]:
    """Both documents without what keeps their texts from being more than text."""
    return [html_module.unescape(html.written(report)), re.sub(r"\\(.)", r"\1", markdown.written(report))]


def test_the_report_holds_the_recipe_of_what_is_shipped(store: Store, ask: Ask, tmp_path: Path) -> None:
    id = synthetic.fill(store)
    report = content.of(store, id)
    scripts = []
    for workload in QUICK_WORKLOADS:
        file = tmp_path / f"{workload}.py"
        ask("recommend", id, "--max-accuracy-drop", "0.5", "--workload", workload, "--recipe", str(file))
        scripts.append(file.read_text())
        compile(scripts[-1], file.name, "exec")
    assert in_html(report) == in_markdown(report) == scripts
    for written in as_read(report):
        assert written.count("<details><summary>The recipe</summary>") == len(scripts)
        assert "What to ship, and its recipe" in written
        assert "Beside the script have to lie weights.safetensors" in written


def test_its_command_is_that_of_the_same_recipe(store: Store, ask: Ask, tmp_path: Path) -> None:
    """Without the zip, whose making takes data and a reference model."""
    for one in content.of(store, synthetic.fill(store)).shipped:
        (command,) = re.findall("`(python -m efficiency .*?)`", one.beside)
        *words, option, bundle = shlex.split(command)[3:]
        assert (option, Path(bundle).suffix) == ("--bundle", ".zip")
        ask(*words, "--file", str(tmp_path / "again.py"))
        assert (tmp_path / "again.py").read_text() == one.script
        read = set(re.findall(r'"(\w+\.safetensors)"', one.script)) - {"outputs.safetensors"}
        assert all(name in one.beside for name in read)
        assert one.beside.count(".safetensors") == len(read)


def test_what_was_confirmed_is_shipped(store: Store) -> None:
    quick = plan_preset("quick", this_machine())
    id = synthetic.fill(store, quick)
    leads = replace(quick, workloads=(LSTM,), variants=(Variant.of(["dynamic-int8"]),), confirms=id)
    again = synthetic.fill(store, leads, seed=1)
    (one,) = (one for one in content.of(store, id).shipped if one.title == "LSTM")
    assert one.said.startswith("Ship Dynamic INT8, which fresh processes confirm.")
    assert f"in the study {again}." in " ".join(one.script.split())
    assert f" recipe {again} dynamic-int8 " in one.beside


def test_nothing_in_a_recipe_ends_its_block(store: Store) -> None:
    report = content.of(store, changed(store, {"machine": this_machine().as_dict() | {"label": NASTY}}))
    scripts = [one.script for one in report.shipped]
    assert all("</script>" in script and "````" in script for script in scripts)
    assert in_html(report) == in_markdown(report) == scripts
    assert "<script>alert" not in html.written(report)


def lstm(columns: dict[str, Any], name: str, value: Any) -> Any:
    return value if columns["workload"] == LSTM else columns[name]


def renamed(columns: dict[str, Any]) -> str:
    return str(columns["variant"]).replace("dynamic-int8", "old-int8")


ASKED = replace(plan_preset("quick", this_machine()), workloads=("/nowhere/mine.py:make",)).as_dict()
NONE: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "There is no recipe: this version does not know old-int8 any more.": ({}, {"variant": renamed}),
    "There is no recipe: mine was built by a Python file that is not here": (
        {"asked": ASKED},
        {"workload": lambda columns: lstm(columns, "workload", "mine")},
    ),
    "There is no recipe: nothing was measured that could be shipped.": (
        {},
        {"status": lambda columns: lstm(columns, "status", "failed")},
    ),
    "There is no recipe: What this study asks for is not understood here": ({"asked": {"workloads": []}}, {}),
    "There is no recipe: Unknown": ({}, {"dataset": lambda columns: "another"}),
}


@pytest.mark.parametrize("said", NONE)
def test_where_there_is_no_recipe_a_sentence_says_why(store: Store, said: str) -> None:
    study, columns = NONE[said]
    report = content.of(store, changed(store, study, **columns))
    without = [one for one in report.shipped if not one.script]
    assert any(one.why_none.startswith(said) for one in without)
    assert len(in_html(report)) == len(in_markdown(report)) == len(report.shipped) - len(without)
    assert all(said in written for written in as_read(report))


def test_a_baseline_that_wins_has_none(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(synthetic, "EFFECTS", {})
    report = content.of(store, synthetic.fill(store))
    assert in_html(report) == in_markdown(report) == []
    for written in as_read(report):
        assert written.count("Leave it as it is: nothing that meets the limits is surely faster") == 3
        assert written.count("There is no recipe: the model stays as it is.") == 3


def test_nothing_of_a_training_study_is_shipped(store: Store) -> None:
    id = synthetic.fill(store, plan_preset("quick", this_machine(), phase="training"))
    report = content.of(store, id)
    for written in as_read(report):
        assert "Training steps were timed, and nothing of them is shipped." in written
        assert f"recipe {id} VARIANT" in written
    assert report.shipped == []


def test_a_report_takes_no_torch(store: Store) -> None:
    script = f"""
import sys
from efficiency.report import content, html, markdown
from efficiency.results.store import Store
report = content.of(Store.open(), {synthetic.fill(store)!r})
assert "import torch" in html.written(report) and "import torch" in markdown.written(report)
assert "torch" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=paths.PROJECT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.browser
def test_a_recipe_is_unfolded_and_can_be_selected(store: Store, tab: Any, tmp_path: Path) -> None:
    report, file = content.of(store, synthetic.fill(store)), tmp_path / "report.html"
    file.write_text(html.written(report))
    tab.set_viewport_size({"width": 390, "height": 844})
    tab.goto(file.as_uri())
    code = tab.locator("pre code").first
    assert not code.is_visible()
    tab.get_by_text("The recipe", exact=True).first.click()
    assert code.is_visible()
    assert code.inner_text().rstrip() == report.shipped[0].script.rstrip()
    assert tab.evaluate("document.documentElement.scrollWidth <= 390"), "Long lines are scrolled where they are."
