"""A head's passport and a run's atlas: the figures of the frames, and pages that need no host."""

import json
import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from inspector.dashboard.store import SHIPPED
from inspector.errors import InputError
from inspector.frames import meanings
from inspector.html import escape
from inspector.runs.run import Run
from inspector.runs.store.manifest import Manifest
from inspector.words import sentences

HOSTILE = "</style><img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def run():
    """A run of 2 × 3 heads with figures that rounding would change, and a hostile corpus name."""
    layer, head = (axis.ravel() for axis in np.indices((2, 3)))
    behaviour = pd.DataFrame({"layer": layer, "head": head, "queries": 7})
    behaviour["entropy_nats"] = np.linspace(0.1, 1.0, 6) / 3
    roles = pd.DataFrame(
        {"layer": [1, 1], "head": [2, 2], "role": ["syntactic:obj", "broad"],
         "evidence": [HOSTILE, "b"], "effect": [1 / 3, 0.25], "ci_low": [0.1, np.nan],
         "ci_high": [0.5, np.nan]}
    )  # fmt: skip
    claims = pd.DataFrame(
        {"relation": ["obj"], "direction": ["dependent_to_head"], "layer": [1], "head": [2],
         "accuracy": [2 / 3], "lift": [1 / 3], "verdict": ["supported"], "needed": ["yes"]}
    )  # fmt: skip
    relations = behaviour[["layer", "head"]].assign(
        relation="obj", direction="dependent_to_head", n=3, accuracy=np.arange(6) / 7
    )
    manifest = Manifest(
        model="tiny", model_files={"model.safetensors": "ab" * 32}, corpus=HOSTILE,
        corpus_sha256="cd" * 32, settings={"seed": 11}, versions={"inspector": "0.1"},
        shard_size=1, batch_size=1, n_shards=1,
    )  # fmt: skip
    frames = {"behaviour": behaviour, "roles": roles, "claims": claims, "relations": relations}
    return Run(manifest, frames)


def test_every_figure_is_that_of_the_frames_to_the_last_digit(run):
    document = json.loads(run.passport(1, 2).json())
    assert (document["head"], document["model"]) == ("1-2", "tiny")
    for name in ("behaviour", "roles", "claims", "relations"):
        frame = getattr(run, name)
        own = frame[(frame["layer"] == 1) & (frame["head"] == 2)]
        assert len(document[name]) == len(own) > 0
        for row, expected in zip(document[name], own.to_dict("records"), strict=True):
            assert list(row) == list(own.columns)
            for column, value in expected.items():
                missing = isinstance(value, float) and np.isnan(value)
                assert row[column] == (None if missing else value)
    assert document["needed"] == []
    made = document["made_of"]
    assert made["model_files"] == {"model.safetensors": "ab" * 32}
    assert (made["settings"]["seed"], made["run"]) == (11, run.manifest.run_id)
    assert "the model needs it for obj" in document["says"]
    assert "cdcdcdcdcdcd" in run.passport(1, 2).cite


class Seen(HTMLParser):
    """What a page asks for, and its tags."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.links = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in ("href", "src", "srcset")]


@pytest.mark.parametrize(("language", "word"), [("en", "Where it looks"), ("zh", "它关注哪里")])
def test_the_page_holds_all_of_it_and_runs_nothing(run, language, word):
    page = run.passport(1, 2).html(language)
    seen = Seen(page)
    assert word in page
    assert f'lang="{language}"' in page
    assert {"script", "img", "link", "iframe"}.isdisjoint(seen.tags)
    assert seen.links == []
    for said in ("ab" * 32, repr(2 / 3), run.manifest.run_id, "passport(1, 2)"):
        assert said in page


def test_figures_on_the_page_are_short_and_whole_where_they_are_pointed_at(run):
    page = run.passport(1, 2).html()
    assert f'<td title="{2 / 3!r}">0.6667</td>' in page
    assert "<td>obj</td>" in page
    assert "<td>–</td>" in page  # of what is no number


def test_a_chinese_page_says_in_chinese_what_the_head_does_and_what_columns_mean(run):
    page = run.passport(1, 2).html("zh")
    assert "头 1-2 最强的角色是 syntactic:obj（效应 0.3333）。" in page
    assert run.passport(1, 2).document["says"] not in page
    assert "未发现头 0-1 有何角色" in run.passport(0, 1).html("zh")
    assert "各列的含义" in page
    for column in ("lift", "verdict"):
        assert f"<td>{column}</td><td>{escape(meanings('claims', 'zh')[column])}</td>" in page


def test_in_chinese_the_evidence_of_every_role_of_a_real_run_is_chinese():
    """Names of relations, tags and rules stay; three English words in a row are a sentence."""
    real = Run.open(SHIPPED)
    sentence = re.compile(r"[a-z]{2,} [a-z]{2,} [a-z]{2,}")
    evidence = list(real.roles["evidence"])
    assert all(map(sentence.search, evidence))  # control: in English it is found
    pages = {
        head: real.passport(*head).html("zh")
        for head in real.roles[["layer", "head"]].drop_duplicates().itertuples(index=False)
    }
    for row in real.roles.to_dict("records"):
        page = pages[row["layer"], row["head"]]
        assert escape(row["evidence"]) not in page
        told = sentences.said(row["evidence"], "evidence", "zh")
        assert escape(told) in page
        assert not sentence.search(told), told


def test_an_atlas_leads_from_file_to_file_in_both_languages(run, tmp_path):
    written = run.atlas(tmp_path / "atlas")
    assert len(written) == 2 * (1 + 6)
    assert (tmp_path / "atlas" / "index.html").is_file()
    for path in written:
        for link in Seen(path.read_text(encoding="utf-8")).links:
            assert not re.match(r"[a-z]+:|/", link)
            assert (path.parent / link).is_file()
    with pytest.raises(InputError, match=r"^folder \(atlas\) must be new or empty: give another"):
        run.atlas(tmp_path / "atlas")


def test_a_head_or_language_that_is_not_there_is_refused(run):
    with pytest.raises(InputError, match=r"^head \(9-0\) must be one that was measured: layers 0 "):
        run.passport(9, 0)
    with pytest.raises(InputError, match=r"^language \(de\) .*Available: en, zh\.$"):
        run.passport(0, 0).html("de")
