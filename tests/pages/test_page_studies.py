"""Studies: the list, rename, delete after a question, import and its refusals."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

import pytest
import synthetic
from said import said
from streamlit.testing.v1 import AppTest

from efficiency.analysis.wording import markdown_text
from efficiency.machine import this_machine
from efficiency.results import documents
from efficiency.results.store import Store
from efficiency.study import plan_preset
from efficiency.ui import history

Visit = Callable[..., AppTest]


def test_empty(visit: Visit) -> None:
    assert "Nothing measured yet" in said(visit("studies"))


def test_list_is_newest_first(visit: Visit, store: Store) -> None:
    synthetic.fill(store, name="Old")
    synthetic.fill(store, name="New", status="cancelled")
    table = visit("studies").dataframe[0].value
    assert list(table["Name"]) == ["New", "Old"]
    assert list(table["Status"]) == ["cancelled", "done"]


def test_garbage_study_is_a_sentence(visit: Visit, store: Store) -> None:
    synthetic.fill(store)
    assert "There is no study" in visit("studies", study="nonsense").warning[0].value


def test_choice_is_of_the_study_not_of_the_line(visit: Visit, store: Store) -> None:
    id = synthetic.fill(store, name="Chosen")
    at = visit("studies", study=id)
    synthetic.fill(store, name="Newer", seed=1)
    at.run()
    assert at.text_input[0].value == "Chosen"
    assert at.button(key=f"delete-{id}")


def test_name_is_shown_as_it_is(visit: Visit, store: Store) -> None:
    id = synthetic.fill(store, name="![x](http://h/p.png)")
    at = visit("studies", study=id)
    assert f"#### {markdown_text('![x](http://h/p.png)')}" in said(at)
    at.button(key=f"delete-{id}").click().run()
    assert not any("![x]" in text.value for text in (*at.markdown, *at.caption, *at.warning))
    (listed,) = [html.proto.body for html in at.get("html") if html.proto.body.startswith('<div class="eff-list')]
    assert "<b>![x](http://h/p.png)</b>" in listed, "HTML reads no Markdown, so that it stands there as it is."


def test_rename(visit: Visit, store: Store) -> None:
    id = synthetic.fill(store, name="Before")
    at = visit("studies", study=id)
    at.text_input[0].set_value("After")
    next(button for button in at.button if button.label == "Rename").click().run()
    assert store.study(id).name == "After"
    assert list(at.dataframe[0].value["Name"]) == ["After"]
    at.text_input[0].set_value("   ")
    next(button for button in at.button if button.label == "Rename").click().run()
    assert "A name needs a character that is no space" in at.warning[0].value
    assert store.study(id).name == "After"


def test_delete_asks_first(visit: Visit, store: Store) -> None:
    id, other = synthetic.fill(store, name="Doomed"), synthetic.fill(store, name="Kept", seed=1)
    at = visit("studies", study=id)
    at.button(key=f"delete-{id}").click().run()
    assert "This cannot be undone" in said(at)
    at.button(key="delete-no").click().run()
    assert len(store.studies()) == 2
    at.button(key=f"delete-{id}").click().run()
    at.button(key="delete-yes").click().run()
    assert list(store.studies()["id"]) == [other]


def test_deleting_a_confirmation_says_what_decide_loses(visit: Visit, store: Store) -> None:
    first = synthetic.fill(store, name="First")
    plan = replace(plan_preset("quick", this_machine()), confirms=first)
    for id, told in ((first, False), (synthetic.fill(store, plan, name="Again", seed=1), True)):
        at = visit("studies", study=id)
        at.button(key=f"delete-{id}").click().run()
        assert "This cannot be undone" in said(at)
        assert ("Decide says “not confirmed yet” again" in said(at)) == told


def test_running_study_is_not_deleted(visit: Visit, store: Store, working: Callable[..., None]) -> None:
    id = synthetic.fill(store)
    at = visit("studies", study=id)
    at.button(key=f"delete-{id}").click().run()
    store.set_status(id, "running")  # in another tab, say, while the question stands
    working(id)
    at.button(key="delete-yes").click().run()
    assert "cancel it on the page Run first" in at.error[0].value
    assert len(store.studies()) == 1
    at = visit("studies", study=id)
    assert at.button(key=f"delete-{id}").disabled
    assert "Delete: It is measured now or waits for its turn" in said(at)


def test_several_can_be_compared(visit: Visit, store: Store) -> None:
    ids = [synthetic.fill(store), synthetic.fill(store, seed=1)]
    at = visit("studies", study=ids)
    assert "Compare these 2 in Explore" in " ".join(link.proto.label for link in at.get("page_link"))


def _upload(at: AppTest, name: str, content: bytes) -> AppTest:
    at.file_uploader[0].set_value([(name, content, "application/json")])
    return at.run()


def test_a_narrow_screen_has_a_link_a_study(visit: Visit, store: Store) -> None:
    ids = [synthetic.fill(store, name=name) for name in ("<b>One</b>", "Two")]
    (listed,) = [
        html.proto.body for html in visit("studies").get("html") if html.proto.body.startswith('<div class="eff-list')
    ]
    assert [listed.index(f'href="?study={id}"') for id in reversed(ids)] == sorted(
        listed.index(f'href="?study={id}"') for id in ids
    ), "The newest first."
    assert "&lt;b&gt;One&lt;/b&gt;" in listed


@pytest.mark.parametrize("packed", [True, False])
def test_import_of_an_export(visit: Visit, store: Store, packed: bool) -> None:
    id = synthetic.fill(store, name="Travelled")
    content = json.dumps(documents.to_json(store, id)).encode()
    store.delete(id)
    at = _upload(visit("studies"), "study.json.gz", gzip.compress(content) if packed else content)
    assert "Imported **Travelled**" in said(at)
    assert list(at.dataframe[0].value["Name"]) == ["Travelled"]


def test_import_of_what_is_here_already_is_a_sentence(visit: Visit, store: Store) -> None:
    id = synthetic.fill(store, name="Mine")
    at = _upload(visit("studies"), "study.json", json.dumps(documents.to_json(store, id)).encode())
    assert "This study is here already, as Mine" in at.error[0].value
    assert list(at.dataframe[0].value["Name"]) == ["Mine"]


@pytest.mark.parametrize("content", [b"", b"no json", b"[1]", b'{"format": "other"}', b"\x1f\x8bbroken"])
def test_import_of_anything_else_is_a_sentence(visit: Visit, store: Store, content: bytes) -> None:
    synthetic.fill(store, name="Mine")
    at = _upload(visit("studies"), "study.json", content)
    assert len(at.error) == 1
    assert at.error[0].value.startswith("study.json: ")
    assert list(at.dataframe[0].value["Name"]) == ["Mine"]


def test_a_study_is_kept_while_its_winner_is_timed_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    id = synthetic.fill(store)
    again = synthetic.fill(store, replace(plan_preset("quick", this_machine()), confirms=id), status="running")
    told = SimpleNamespace(study_id=again)
    monkeypatch.setattr(history.jobs, "live", lambda store: [told])
    assert again in history._going_on(store, id)
    assert history._going_on(store, again) == history.GOING_ON
    monkeypatch.setattr(history.jobs, "live", lambda store: [])
    assert history._going_on(store, id) == ""
