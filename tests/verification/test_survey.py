"""The list of architectures: a sample of every kind, run; what is not reached is not passed."""

import json
from pathlib import Path

import pytest

from inspector.errors import InputError
from inspector.models.tiny_models import CONFIGURATIONS
from inspector.verification.survey import (
    ARCHITECTURES_COLUMNS,
    architectures_page,
    no_longer_verified,
    verify_architectures,
)

# Of every kind and route; `make architectures` runs all.
VERIFIED = (
    "bert", "roberta", "distilbert", "albert", "modernbert", "gpt2", "gpt_bigcode", "llama",
    "gemma2", "olmo2", "granite_swa", "gpt_oss", "deepseek_v3", "mixtral", "t5", "bart", "vit",
    "beit, relative bias", "swin", "videomae", "wav2vec2", "whisper", "clip", "bloom", "mpnet",
    "deberta-v2", "git", "xlnet", "longt5, local", "longformer",
)  # fmt: skip
NOT_VERIFIED = ("yoso", "fnet", "minimax", "nystromformer, landmarks")


@pytest.fixture(scope="module")
def frame(one_thread):
    return verify_architectures([*VERIFIED, *NOT_VERIFIED])


def test_there_are_enough_of_every_kind():
    assert len(CONFIGURATIONS) >= 110
    kinds = {row.kind for row in CONFIGURATIONS}
    assert kinds >= {
        "text encoder", "decoder", "encoder-decoder", "vision", "audio", "text and vision",
    }  # fmt: skip
    assert {row.kind for row in CONFIGURATIONS if row.name in VERIFIED} >= kinds - {
        "text and audio"
    }


def test_the_sample_comes_out_as_it_should(frame):
    verdicts = dict(zip(frame["name"], frame["verdict"], strict=True))
    assert {name for name, verdict in verdicts.items() if verdict == "verified"} == set(VERIFIED)
    assert {n for n, verdict in verdicts.items() if verdict == "not verified"} == set(NOT_VERIFIED)


def test_nothing_is_verified_without_a_call(frame):
    verified = frame[frame["verdict"] == "verified"]
    assert (verified["calls"] > 0).all()
    assert (verified["reached"] == verified["total"]).all()
    assert (verified["controls"] > 0).all()
    assert (verified["controls"] == verified["controls_caught"]).all()
    assert verified["error_in_u"].between(0.0, 32.0).all()
    assert (verified["reason"] == "").all()
    rest = frame[frame["verdict"] != "verified"]
    assert (rest["reason"].str.len() > 20).all()
    assert (rest["reached"] < rest["total"].clip(lower=1)).all()


def test_routes(frame):
    routes = dict(zip(frame["name"], frame["route"], strict=True))
    assert routes["llama"] == "backend"
    assert routes["bloom"] == routes["mpnet"] == routes["deberta-v2"] == "custom score term"
    assert routes["git"] == "backend and custom score term"
    assert routes["yoso"] == routes["fnet"] == "none"


def test_columns(frame):
    assert list(frame.columns) == list(ARCHITECTURES_COLUMNS)
    assert frame.dtypes.astype(str).to_dict() == ARCHITECTURES_COLUMNS


def test_the_page_shows_each_row_and_says_how_many(frame):
    page = architectures_page(frame)
    assert f": {len(frame)} configurations of " in page
    assert f"{len(VERIFIED)} verified, {len(NOT_VERIFIED)} not, 0 that differ." in page
    for name in frame["name"]:
        assert f"\n| {name} | " in page
    assert "not verified: YosoSelfAttention computes attention by mathematics of its own (" in page


def test_control_a_wrong_function_differs(monkeypatch):
    from inspector.verification.calls import call_comparison

    real = call_comparison.scaled_dot_product_scores

    def wrong(query, key, scaling):
        factor = 1.0 if query.dtype.itemsize == 8 else 1.01
        return real(query, key, factor * scaling)

    monkeypatch.setattr(call_comparison, "scaled_dot_product_scores", wrong)
    assert verify_architectures(["gpt2"])["verdict"].tolist() == ["differs"]


def test_a_name_that_there_is_not():
    with pytest.raises(InputError, match=r"^configuration \(nonsense\) must be one of "):
        verify_architectures(["nonsense"])


def test_command(command, tmp_path):
    page = tmp_path / "page.md"
    done = command("architectures", "gpt2", "yoso", "--json", "-o", page)
    assert done.code == 0, done.err
    document = json.loads(done.out)
    assert (document["listed"], document["verified"]) == (2, 1)
    assert document["output"] == str(page)
    assert [row["verdict"] for row in document["architectures"]] == ["verified", "not verified"]
    assert document["architectures"][1]["error_in_u"] is None
    assert page.read_text().startswith("# Architectures\n")
    again = command("architectures", "gpt2", "-o", page)
    assert again.code == 4 or again.code == 2
    shown = command("architectures", "gpt2")
    assert shown.code == 0
    assert "1 of 1 configurations verified." in shown.out + shown.err
    unknown = command("architectures", "nonsense")
    assert unknown.code == 2
    assert "configuration (nonsense) must be one of inspector's families." in unknown.err


def test_what_a_page_records_as_verified_must_stay_so(command, tmp_path):
    """A new version of transformers is checked by one command: a loss is not written over."""
    page = tmp_path / "page.md"
    rows = verify_architectures(["gpt2", "yoso"])
    text = architectures_page(rows)
    page.write_text(text)
    kept = command("architectures", "gpt2", "yoso", "--json", "-o", page, "--force")
    assert kept.code == 0, kept.err
    assert json.loads(kept.out)["no_longer_verified"] == []
    line = next(line for line in text.splitlines() if line.startswith("| gpt2 | "))
    once = text + line.replace("gpt2", "yoso") + "\n" + line.replace("gpt2", "lost") + "\n"
    page.write_text(once)
    lost = command("architectures", "gpt2", "yoso", "--json", "-o", page, "--force")
    assert lost.code == 1
    document = json.loads(lost.out)
    assert document["no_longer_verified"] == ["yoso"]
    assert document["output"] is None
    assert page.read_text() == once
    said = " ".join((lost.out + lost.err).split())
    assert "No longer verified: yoso. YosoSelfAttention computes attention by mathematics" in said
    assert f"{page} records them as verified and was left as it is" in said
    assert no_longer_verified(once, rows) == ["yoso", "lost"]
    assert no_longer_verified(once, rows, whole=False) == ["yoso"]
    assert no_longer_verified("# Something else | verified |", rows) == []


def test_the_page_of_the_house_records_what_there_is():
    """Every configuration stands in docs/architectures.md, and no other."""
    page = Path(__file__).parents[2] / "docs" / "architectures.md"
    if not page.is_file():
        pytest.skip("the pages are not beside the tests")
    text = page.read_text("utf-8")
    empty = verify_architectures(["fnet"]).iloc[:0]
    recorded = set(no_longer_verified(text, empty))
    names = {row.name for row in CONFIGURATIONS}
    listed = {line.split(" | ")[0][2:] for line in text.splitlines() if line.startswith("| ")}
    assert listed - {"configuration"} == names
    assert recorded < names
    assert {"fnet", "yoso"}.isdisjoint(recorded)


def test_a_difference_is_exit_code_1(command, monkeypatch):
    import inspector.verification.survey as module

    monkeypatch.setattr(module, "_verdict", lambda report: "differs")
    assert command("architectures", "gpt2", "--json").code == 1
