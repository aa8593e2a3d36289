"""The Compare page: what it says of two runs is what the library's own comparison says."""

import shutil
from itertools import permutations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from support.browser.dashboard_driver import texts

import inspector
from inspector.heads.specialization.profile_comparison import _SHARES, match_heads
from inspector.runs import RunTarget
from inspector.runs.run import Run
from inspector.runs.store.run_folder import RunFolder


@pytest.fixture(scope="module")
def two(profiled, tmp_path_factory):
    """Return settings with two runs; the other one has lost the roles and claims of some heads."""
    root = tmp_path_factory.mktemp("two")
    run = Path(yaml.safe_load(profiled.read_text())["run"])
    made = Run.open(run)
    before = made.claims.copy()
    before.loc[[0, 1], "verdict"] = "supported"
    after = before.copy()
    after.loc[0, "verdict"] = "not supported"
    after.loc[1, "head"] = (after.loc[1, "head"] + 1) % 12
    roles = {"before": made.roles, "after": made.roles.iloc[3:]}
    for name, claims in {"before": before, "after": after}.items():
        shutil.copytree(run, root / name)
        frames = {**made.frames, "claims": claims, "roles": roles[name].reset_index(drop=True)}
        with RunFolder.create(RunTarget(root / name, resume=True), made.manifest) as folder:
            for frame_name, frame in frames.items():
                folder.write_frame(frame_name, frame)
            folder.finish()
    config = root / "two.yaml"
    config.write_text(yaml.safe_dump({"runs": str(root)}))
    return config


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_is_lost_gained_and_moved_is_told(open_page, two, language):
    app = open_page("compare", config=two, one="before", other="after", lang=language)
    assert not app.exception
    assert not app.error
    said = texts(app)
    before, after = (Run.open(two.parent / name) for name in ("before", "after"))
    heads, claims = inspector.compare(before, after)
    changed = int((heads["roles_lost"] > 0).sum())
    agree = int(claims["agree"].sum())
    titles = [one.value for one in app.header]
    if language == "en":
        assert f"**{changed} of 72 heads** have other roles" in said
        assert f"**{agree} agree**" in said
        assert "Roles lost: 3" in titles
        assert "Roles gained: 0" in titles
        assert "Claims that A supports and B does not: 1" in titles
        assert "Claims that both support, of another head: 1" in titles
        assert "72 of 72 heads have themselves as a partner" in said
    else:
        assert f"72 个头中有 {changed} 个" in said
        assert "失去的角色：3" in titles


def test_with_one_run_it_says_where_to_get_another(open_page, tmp_path):
    config = tmp_path / "none.yaml"
    config.write_text(yaml.safe_dump({"runs": str(tmp_path)}))
    app = open_page("compare", config=config)
    assert "not yet two complete runs" in texts(app)


def test_heads_are_matched_so_that_the_distances_add_up_to_the_least():
    """By trying every way to pair four heads with four of five."""
    draw = np.random.default_rng(0)

    def behaviour(n):
        shares = pd.DataFrame(draw.random((n, len(_SHARES))), columns=_SHARES)
        return shares.assign(layer=0, head=range(n))

    one, other = behaviour(4), behaviour(5)
    one.loc[2, _SHARES[0]] = np.nan
    found = match_heads(one, other)
    a, b = one[_SHARES].to_numpy(), other[_SHARES].to_numpy()

    def distance(i, j):
        return np.nanmean(np.abs(a[i] - b[j]))

    best = min(permutations(range(5), 4), key=lambda way: sum(map(distance, range(4), way)))
    assert found["other_head"].tolist() == list(best)
    expected = [distance(i, j) for i, j in enumerate(best)]
    assert found["distance"].to_numpy() == pytest.approx(expected)
    assert len(match_heads(other, one)) == 4
    assert (match_heads(one, one)["distance"] == 0).all()
