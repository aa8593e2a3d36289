"""The page on a reader's own attention: template, reports of any kind, and code that is run."""

import json
import os
import re
import time
from types import ModuleType

import pytest
import yaml
from support.browser.dashboard_driver import ROOT, texts
from support.each import each

from inspector.dashboard.implementation import read_report, template, trial
from inspector.dashboard.implementation.report_file import MOST_BYTES
from inspector.errors import InputError
from inspector.models import load
from inspector.verification import verify_implementation
from inspector.verification.diagnosis import CATALOGUE

BLANKS = (
    "heads(hidden_states, weights.W_K, weights.b_K)",
    "heads(hidden_states, weights.W_V, weights.b_V)",
    "query @ key.transpose(-1, -2) * weights.scaling",
    "scores.masked_fill(~padding_mask[:, None, None], -1e30)",
    "scores.softmax(-1)",
    "(probabilities @ value).transpose(1, 2).flatten(-2)",
)


def filled(**wrong):
    """Return the template with its blanks filled in, some of them otherwise."""
    code = template()
    assert code.count("= ...\n") == len(BLANKS)
    for number, right in enumerate(BLANKS):
        code = code.replace("= ...\n", f"= {wrong.get(f'blank_{number}', right)}\n", 1)
    return code


def build_of(code):
    module = ModuleType("my_attention")
    exec(compile(code, "my_attention.py", "exec"), vars(module))  # noqa: S102 - ours
    return module.build


@pytest.fixture(scope="module")
def tiny(small_model):
    return load(small_model)


@pytest.fixture(scope="module")
def wrong(tiny):
    """Return the report, as the command prints it, of the template without the scale."""
    build = build_of(filled(blank_2="query @ key.transpose(-1, -2)"))
    return verify_implementation(build, tiny, layers=[0], seed=1, pairs=False).as_dict()


def test_the_template_passes_when_it_is_filled_in(tiny):
    report = verify_implementation(build_of(filled()), tiny, layers=[0], seed=1)
    assert report.passed, report.summary()
    assert report.unseen == ()
    # What is right is nearest to the right result.
    assert next(iter(report.distances)) is None


def test_the_template_as_it_is_says_where_it_is_empty(tiny):
    with pytest.raises(InputError, match=r"build.*(ellipsis|Ellipsis)"):
        verify_implementation(build_of(template()), tiny, layers=[0])


def test_distances_are_those_of_the_mistakes_made_on_purpose(tiny, wrong):
    """By hand for two: what was returned, the right result, and the scale left out."""
    distances = {one["mistake"]: one["distance"] for one in wrong["distances"]}
    assert set(distances) - {None} <= {mistake.name for mistake in CATALOGUE}
    assert list(distances.values()) == sorted(distances.values())
    assert next(iter(distances)) == "scale omitted" in wrong["diagnosis"]["mistakes"]
    assert distances["scale omitted"] < 1e-6 < distances[None]
    assert distances[None] == pytest.approx(wrong["diagnosis"]["distance"])
    assert len(distances) > 20


def shown(open_page, document, name="report.json", **query):
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    app = open_page("implementation", **query)
    app.file_uploader(key="report").set_value((name, data, "application/json")).run()
    assert not app.exception
    return app


@each("language", ["en", "zh"])
def test_a_report_is_shown_with_its_mistake_and_fix(open_page, wrong, language):
    app = shown(open_page, wrong, lang=language)
    said = texts(app)
    (verdict,) = [error.value for error in app.error]
    assert ("differs from" if language == "en" else "不一致") in verdict
    assert ("scale omitted" if language == "en" else "漏掉缩放") in said
    fix = wrong["diagnosis"]["fix"]
    assert (fix if language == "en" else "把 Q Kᵀ 乘以 weights.scaling，通常为 1/√d_head。") in said
    frame = wrong["layers"]
    worst = max(row["error_in_u"] for row in frame if row["input"] == frame[0]["input"])
    assert f"<td>{worst:.2g}</td>" in said
    charts = json.dumps([chart.proto.spec for chart in app.get("vega_lite_chart")])
    assert "scale omitted" in charts or language == "zh"
    assert len(app.get("vega_lite_chart")) == 2


def test_a_report_that_passed_is_shown_and_markup_in_it_is_text(open_page, wrong):
    evil = "<img src=x onerror=alert(1)> ![x](http://a) **b**"
    report = {**wrong, "passed": True, "first_difference": None, "diagnosis": None}
    report |= {"implementation": evil, "model": evil, "notes": [evil], "unseen": [evil]}
    report["layers"] = [{**wrong["layers"][0], "input": evil, "stage": evil, "error_in_u": None}]
    app = shown(open_page, report)
    assert "computes what" in app.success[0].value
    assert "<img src=x" not in texts(app)
    told = [*app.success, *app.caption, *app.markdown]
    assert not [one.value for one in told if "![x](" in one.value or " **b**" in one.value]


NESTED = b"[" * 200_000


@each(
    ("data", "sentence"),
    [
        (b"", "must be JSON"),
        (b"\x00\xff\xfe", "must be JSON"),
        (NESTED, "must be JSON"),
        (b'{"a": ' + b"9" * 6000 + b"}", "must be JSON"),
        (b"[]", "must be such a report (the file:"),
        (b"{}", "must be such a report (model: Field required)"),
        (b" " * (MOST_BYTES + 1), "must be at most 16 MiB, not 16"),
    ],
)
def test_what_is_no_report_is_one_sentence(data, sentence):
    with pytest.raises(InputError) as error:
        read_report("a<b>.json", data)
    assert str(error.value).startswith(f"report (a<b>.json) {sentence}")
    assert str(error.value).endswith(
        "save what `inspector verify --implementation FILE.py:NAME --json` prints."
    )


@each(
    ("where", "value"),
    [
        ("passed", "yes"),
        ("model", "m" * 301),
        ("model", 3),
        ("layers", []),
        ("layers", [{}] * 50_001),
        ("layers.0.error_in_u", 1e301),
        ("layers.0.error_in_u", float("inf")),
        ("layers.0.error_in_u", -1.0),
        ("layers.0.error_in_u", "1"),
        ("layers.0.layer", 10**30),
        ("layers.0.layer", True),
        ("layers.0.passed", 1),
        ("first_difference.heads", ["<b>"]),
        ("first_difference", []),
        ("diagnosis.fix", "x" * 4001),
        ("diagnosis.mistakes", "scale omitted"),
        ("distances.0.distance", float("nan")),
        ("distances", [{"mistake": "x", "distance": 0.0}] * 401),
        ("notes", [1]),
    ],
)
def test_a_report_that_was_tampered_with_is_one_sentence(wrong, where, value):
    report = json.loads(json.dumps(wrong))
    *path, last = where.split(".")
    part = report
    for key in path:
        part = part[int(key) if isinstance(part, list) else key]
    part[last] = value
    with pytest.raises(InputError) as error:
        read_report("report.json", json.dumps(report).encode())
    named = where if not isinstance(value, list) else where.split(".")[0]
    assert str(error.value).startswith(f"report (report.json) must be such a report ({named}")
    assert len(str(error.value)) < 400


def test_the_command_names_the_model_and_code_is_not_run_here(open_page):
    app = open_page("implementation")
    assert not app.exception
    (command,) = [code.value for code in app.code]
    assert command.startswith("inspector verify minilm --implementation my_attention.py:build\n")
    assert "run_code: true" in texts(app)
    assert not app.text_area
    assert [button.label for button in app.button] == []


def allowed(open_page, tmp_path, model):
    config = tmp_path / "allowed.yaml"
    config.write_text(yaml.safe_dump({"models": [str(model)], "run_code": True}))
    return open_page("implementation", config=config)


def waited(app):
    end = time.monotonic() + 120
    while not app.session_state["_trial"].ended:
        assert time.monotonic() < end
        time.sleep(0.05)
    app.run()
    assert not app.exception
    return app


@pytest.mark.full
def test_where_the_settings_allow_it_code_runs_apart(open_page, tmp_path, small_model):
    app = allowed(open_page, tmp_path, small_model)
    marker = tmp_path / "process"
    code = f"import os\nopen({str(marker)!r}, 'w').write(str(os.getpid()))\n"
    app.text_area(key="code").set_value(code + filled(blank_4="scores.softmax(-2)"))
    app.button(key="run-code").click().run()
    assert not app.exception
    waited(app)
    assert "differs from" in app.error[0].value
    assert "softmax over queries" in texts(app)
    assert marker.read_text() != str(os.getpid())


def test_a_trial_is_told_stopped_and_read_like_any_report(
    open_page, tmp_path, monkeypatch, small_model, wrong
):
    """The command's process is played by one that prints a report, complains, or sleeps."""
    (tmp_path / "report.json").write_text(json.dumps(wrong))
    say = f"print(open({str(tmp_path / 'report.json')!r}).read())"
    monkeypatch.setattr(trial, "_COMMAND", say)
    app = allowed(open_page, tmp_path, small_model)
    assert app.text_area(key="code").value == template()
    app.button(key="run-code").click().run()
    waited(app)
    assert "differs from" in app.error[0].value
    monkeypatch.setattr(trial, "_COMMAND", "import sys; sys.exit('build (x) must be right.')")
    app.button(key="run-code").click().run()
    waited(app)
    assert plain_text(app.error[0].value) == "build (x) must be right."
    monkeypatch.setattr(trial, "_COMMAND", "import time; time.sleep(60)")
    app.button(key="run-code").click().run()
    folder = app.session_state["_trial"]._folder
    assert (folder / "my_attention.py").read_text() == template()
    app.button(key="stop-code").click().run()
    waited(app)
    assert plain_text(app.error[0].value) == "check (stopped) has no report: start it again."
    assert not folder.exists()
    app.text_area(key="code").set_value("x" * 100_001)
    app.button(key="run-code").click().run()
    assert plain_text(app.error[0].value).startswith("code (100001 characters) must have at most")


def plain_text(markdown):
    return re.sub(r"\\(?=[^\w\s])", "", markdown)


def test_the_settings_say_no_unless_they_say_yes():
    from inspector.dashboard.settings import Settings

    assert Settings().run_code is False
    for config in (ROOT / "configs").glob("*.yaml"):
        assert "run_code" not in (yaml.safe_load(config.read_text()) or {})
    assert re.search(r"^# run_code: true", (ROOT / "configs/minilm.yaml").read_text(), re.M)
