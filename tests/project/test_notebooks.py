"""The notebooks run, show what they promise, and fetch nothing."""

import ast
import html
import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

import inspector
from tools.notebooks import kept

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
# What a page would load by itself: never an address of another host.
LOADS = re.compile(r"""<(?:script|link|img|iframe)[^>]*(?:src|href)=["']?(?:https?:)?//""")


# Stories that take half a minute or more, and the same code in Chinese, where there is time; of one
# a part is asked for all the same.
WHOLE = {
    "objects", "syntax", "finetuned", "meaning", "semantics_and_ablation", "three_attentions_zh",
    "verify_your_attention", "induction",
}  # fmt: skip
SHORTER = {"default_corpus()[:24], kept=[1, 3, 6, 9]": "default_corpus()[:6], kept=[1, 6]"}
LONG = {p.stem for p in NOTEBOOKS if any(long in p.read_text("utf-8") for long in SHORTER)}


@pytest.fixture(scope="module", autouse=True)
def no_bars():
    """Let notebooks store what they found, and not how far they were when."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TQDM_DISABLE", "1")
        yield


@pytest.fixture(
    scope="module",
    params=[
        *(pytest.param((path, "short"), id=path.stem)
          for path in NOTEBOOKS if path.stem not in WHOLE),
        *(pytest.param((path, "whole"), id=f"{path.stem}-whole", marks=pytest.mark.full)
          for path in NOTEBOOKS if path.stem in LONG | WHOLE),
    ],
)  # fmt: skip
def executed(request):
    path, length = request.param
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells if length == "short" else ():
        for long, short in SHORTER.items():
            cell.source = cell.source.replace(long, short)
    NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
    return notebook


def outputs(notebook, kind):
    """Return what the cells show in one MIME type."""
    return [
        output["data"][kind]
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if kind in output.get("data", {})
    ]


def test_there_is_a_quickstart():
    assert "quickstart" in [path.stem for path in NOTEBOOKS]
    assert {"three_attentions"} == LONG - WHOLE


def test_every_cell_runs_and_says_nothing_on_stderr(executed):
    code = [cell for cell in executed.cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in code)
    said = [o for cell in code for o in cell.outputs if o.output_type in ("stream", "error")]
    assert [one for one in said if one.get("name") != "stdout"] == []


def test_nothing_is_loaded_from_another_host(executed):
    shown = [*outputs(executed, "text/html"), *outputs(executed, "image/svg+xml")]
    assert len(shown) >= 5
    assert not any(LOADS.search(html) for html in shown)
    assert LOADS.search('<script src="https://cdn.example/d3.js">'), "the pattern can match"


def test_what_is_shown(executed, request):
    html = "\n".join(outputs(executed, "text/html"))
    pictures = outputs(executed, "image/svg+xml")
    assert html.count("<table") + len(pictures) >= 5
    assert all("<svg" in picture and "<script" not in picture for picture in pictures)
    assert "<script" not in html.replace("&lt;script", ""), "scripts stay inside the frame"
    shows[request.node.callspec.params["executed"][0].stem](executed, html)


def quickstart(executed, html):
    assert "minilm (float32) verified: 42 of 42 layer stages" in html
    assert "<iframe" in html
    assert outputs(executed, "text/plain")[-1] == "0.0", "by hand, and the model: the same"


def syntax(executed, html):
    assert re.search(r"\d+ of \d+ claims supported", outputs(executed, "text/plain")[0])
    for column in ("accuracy", "baseline_accuracy", "random_init_accuracy", "documents_needed"):
        assert f"<th>{column}</th>" in html
    assert re.search(r"<td>explained</td>\s*<td>word-class</td>", html)
    assert "<td>word-class:NOUN:right</td>" in html


def verify_your_attention(executed, html):
    for sentence in (
        "Diagnosis: heads interleaved. Split (head, feature) with the head as the slower index",
        "Diagnosis: scale applied twice.",
        "Diagnosis: value taken from key and W_O transposed.",
        "No known mistake, nor two in different steps, reproduces these numbers.",
    ):
        assert sentence in html
    same = r"mended and minilm \(float32\) are the same: 6 layers × 1\d\d inputs"
    assert re.search(same, html)
    assert "The nearest, which is not" not in html, "nothing is clearly nearer on every input"


def semantics_and_ablation(executed, html):
    for column in (
        "apart_lift",
        "matched_lift",
        "contrast",
        "needed",
        "ablation_effect",
        "state_change",
    ):
        assert f">{column}</th>" in html
    assert re.search(r"<td>underpowered</td>", html), "nothing is said of few documents"
    assert re.search(r"Head \d+-\d+ looks mostly at offset", html)
    assert len(outputs(executed, "image/svg+xml")) >= 2
    correlation = next(
        text for text in outputs(executed, "text/plain") if re.fullmatch(r"-?[01]\.\d+", text)
    )
    assert float(correlation) > 0.8, "the cheap order of heads is nearly that of ablating them"


def objects(executed, html):
    assert re.search(r"<th>verdict</th>\s*<td>supported</td>", html)
    assert "✓" in html, "a sentence that it hits"
    assert "✗" in html, "and one that it misses"
    assert re.search(r"<td>3-1</td>\s*<td>\d+</td>", html), "and the model without it"
    assert len(outputs(executed, "image/svg+xml")) >= 4


def finetuned(executed, html):
    says = outputs(executed, "text/plain")
    trained = next(ast.literal_eval(text) for text in says if text.startswith("{'tuned'"))
    assert trained["tuned"] > trained["shuffled labels"] + 0.1
    assert trained["seconds of one CPU"] < 120
    more, less = next(map(ast.literal_eval, (t for t in says if re.fullmatch(r"\(\d+, \d+\)", t))))
    assert more > less, "heads move for the task, beside what any training moves"
    assert len(outputs(executed, "image/svg+xml")) >= 3


def meaning(executed, html):
    rows = re.findall(r"<td>user:(\w+)</td>.*?<td>([a-z ]+)</td>\s*</tr>", html, re.DOTALL)
    verdicts = {kind: {verdict for of, verdict in rows if of == kind} for kind, _ in rows}
    assert "supported" in verdicts["synonym"]
    assert "supported" not in verdicts["unrelated"]
    assert "<td>semantic:user:synonym</td>" in html
    assert "✓" in html
    assert "✗" in html


def three_attentions(executed, html):
    says = outputs(executed, "text/plain")
    assert says.count("True") == 3, "by hand, as a sum of heads, and with one head"
    assert "(True, True)" in says
    assert "0.0" in says, "and in a real model"
    assert len(outputs(executed, "image/svg+xml")) >= 5


def induction(executed, html):
    assert re.search(r"<th>verdict</th>\s*<td>supported</td>", html)
    assert re.search(r"<th>needed</th>\s*<td>(yes|together)</td>", html)
    losses = [
        ast.literal_eval(t) for t in outputs(executed, "text/plain") if t.startswith("{'loss")
    ]
    two, one = losses
    assert two["loss at the end, in nats"] < 0.5 < 2 < one["loss at the end, in nats"]
    assert not {"induction", "previous-token"} & set(one["roles"])
    assert len(outputs(executed, "image/svg+xml")) >= 3


shows = {
    "induction": induction,
    "finetuned": finetuned,
    "meaning": meaning,
    "three_attentions": three_attentions,
    "three_attentions_zh": three_attentions,
    "objects": objects,
    "quickstart": quickstart,
    "semantics_and_ablation": semantics_and_ablation,
    "syntax": syntax,
    "verify_your_attention": verify_your_attention,
}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_committed_outputs_are_whole_and_name_no_machine(path):
    notebook = nbformat.read(path, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(
        cell.outputs for cell in code if not cell.source.startswith("import inspector\n\nfrom")
    )
    stored = [output.get("data", {}) for cell in code for output in cell.outputs]
    assert not [data for data in stored if set(data) == {"text/plain"} and "Page(" in str(data)], (
        "a view is kept as its picture, not as one line of text"
    )
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"/(home|tmp|root|work|Users)/", text)
    assert "d3js" not in text, "other people's code is read from their packages, not kept here"


def test_what_is_kept_of_a_view_is_its_picture(minilm):
    shown = inspector.attend(minilm, "A cat.").head_view(layers=[2])._repr_html_()
    assert "<iframe" in shown
    assert "<script" in html.unescape(shown)
    stored = kept(shown)
    assert "<img" in stored
    assert "<script" not in html.unescape(stored)
    assert kept("<p>a table</p>") == "<p>a table</p>"


def test_the_chinese_notebook_runs_the_same_code():
    english, chinese = (
        [cell.source for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]
        for path in NOTEBOOKS
        if path.stem.startswith("three_attentions")
    )
    assert english == chinese
