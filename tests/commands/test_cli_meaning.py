"""`inspector profile` on meaning: mentions, annotation beside it, several corpora, bad input."""

import json

import pandas as pd
import pytest

HEAD = """# newdoc id = d{document}
# global.Entity = GRP-etype-infstat-salience-centering-minspan-link-identity
"""
FIRST = """# sent_id = s{document}-{number}
1\tthe\t_\tDET\t_\t_\t2\tdet\t_\tEntity=({entity}-person-new-s-cf1-2-coref
2\tdog\t_\tNOUN\t_\t_\t3\tnsubj\t_\tEntity={entity})
3\thad\t_\tVERB\t_\t_\t0\troot\t_\t_
4\train\t_\tNOUN\t_\t_\t3\tobj\t_\tEntity=(9{entity}-x-new-s-cf1-1-sgl)
5\tand\t_\tCCONJ\t_\t_\t6\tcc\t_\t_
6\ttown\t_\tNOUN\t_\t_\t4\tconj\t_\t_
"""
SECOND = """# sent_id = s{document}-{number}
1\tthat\t_\tPRON\t_\t_\t2\tnsubj\t_\tEntity=({entity}-person-giv:act-s-cf1-1-ana)
2\tcould\t_\tVERB\t_\t_\t0\troot\t_\t_
3\tnot\t_\tPART\t_\tPolarity=Neg\t2\tadvmod\t_\t_
"""
GAP = "ID\tText\tPronoun\tPronoun-offset\tA\tA-offset\tA-coref\tB\tB-offset\tB-coref\tURL\n"


def treebank(path, documents=6):
    text = ""
    for document in range(documents):
        text += HEAD.format(document=document)
        for number, part in enumerate((FIRST, SECOND, FIRST, SECOND)):
            text += part.format(document=document, number=number, entity=number // 2) + "\n"
    path.write_text(text, encoding="utf-8")
    return path


def gap(path, offset="0"):
    rows = [
        (f"g-{i}", "dog had that cat", "that", "8", "dog", "0", "TRUE", "cat", "13", "FALSE", "")
        for i in range(6)
    ]
    rows.append(("g-9", "dog had that cat", "that", offset, *rows[0][4:]))
    path.write_text(GAP + "".join("\t".join(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def profile(command, tiny_folder, tmp_path):
    """Return a function: files and options → what the command did, and a frame of its run."""

    def run(*files, options=(), name="run"):
        given = [part for file in files for part in ("--corpus", file)]
        done = command("profile", tiny_folder(), *given, "-o", tmp_path / name, *options)
        return done, lambda frame: pd.read_parquet(tmp_path / name / f"{frame}.parquet")

    return run


def test_a_treebank_with_mentions_has_claims_of_every_kind(profile, tmp_path):
    done, frame = profile(treebank(tmp_path / "gum.conllu"))
    assert done.code == 0, done.err
    claims = frame("claims")
    assert {"nsubj", "conj", "coref:pronoun", "coref:pronoun:mentions"} <= set(claims["relation"])
    assert "neg:scope" in set(claims["relation"])
    assert not claims["relation"].str.contains("|", regex=False).any()
    of_coreference = frame("relations").query("relation == 'coref:pronoun'")
    assert set(of_coreference["n"]) == {12}, "two pronouns a document, six documents"
    controls = frame("semantic_controls")
    assert "coref:pronoun" in set(controls["relation"])
    assert "nsubj" not in set(controls["relation"])
    totals = frame("totals").set_index("what")["count"]
    assert totals["mentions"] == 6 * 6
    assert totals["windows"] == 6


def test_syntax_is_what_it_is_without_the_rest(profile, tmp_path):
    path = treebank(tmp_path / "gum.conllu")
    plain = tmp_path / "plain.conllu"
    text = path.read_text(encoding="utf-8").replace("Entity=", "Other=")
    plain.write_text(text.replace("Polarity=Neg", "_"), encoding="utf-8")
    _, rich = profile(path)
    _, poor = profile(plain, name="poor")
    for name, key in (("relations", "relation"), ("claims", "relation")):
        one, other = rich(name), poor(name)
        syntax = ["advmod", "cc", "conj", "det", "nsubj", "obj"]
        one, other = one[one[key].isin(syntax)], other[other[key].isin(syntax)]
        assert len(one) > 0
        pd.testing.assert_frame_equal(
            one.reset_index(drop=True), other.reset_index(drop=True), check_exact=True
        )


def test_several_corpora_are_kept_apart(profile, tmp_path):
    trees, passages = treebank(tmp_path / "gum.conllu"), gap(tmp_path / "gap.tsv", offset="8")
    done, both = profile(trees, passages)
    assert done.code == 0, done.err
    assert "gum, gap" in done.out
    for path, name in ((trees, "gum"), (passages, "gap")):
        _, alone = profile(path, name=name)
        for frame in ("behaviour", "relations", "claims", "roles", "totals", "skipped"):
            rows = both(frame)
            assert list(rows.columns)[-1] == "corpus"
            rows = rows[rows["corpus"] == name].drop(columns="corpus").reset_index(drop=True)
            pd.testing.assert_frame_equal(rows, alone(frame), check_exact=True)


@pytest.mark.full
def test_the_same_name_twice_is_numbered(profile, tmp_path):
    (tmp_path / "other").mkdir()
    one, two = treebank(tmp_path / "a.conllu"), treebank(tmp_path / "other" / "a.conllu", 7)
    _, frame = profile(one, two)
    assert sorted(set(frame("totals")["corpus"])) == ["a", "a~2"]


@pytest.mark.full  # of one corpus, `make test` has it in test_profile_killed
@pytest.mark.process
def test_workers_change_no_byte(profile, tmp_path):
    trees, passages = treebank(tmp_path / "gum.conllu"), gap(tmp_path / "gap.tsv", offset="8")
    profile(trees, passages, name="one")
    done, _ = profile(trees, passages, name="many", options=["--workers", "2"])
    assert done.code == 0, done.err
    contents = [
        {path.name: path.read_bytes() for path in sorted((tmp_path / name).rglob("*.*"))}
        for name in ("one", "many")
    ]
    assert contents[0] == contents[1]
    # Sentences, windows, random models and ablation, each in shards of their own.
    assert sum(name.endswith(".safetensors") for name in contents[0]) >= 20


@pytest.mark.full
def test_a_run_that_lacks_shards_is_resumed_to_the_same_bytes(profile, tmp_path):
    path = treebank(tmp_path / "gum.conllu")
    profile(path)
    before = (tmp_path / "run" / "claims.parquet").read_bytes()
    shards = sorted((tmp_path / "run" / "shards").iterdir())
    for shard in shards[1::2]:
        shard.unlink()
    done, _ = profile(path, options=["--resume"])
    assert done.code == 0, done.err
    assert (tmp_path / "run" / "claims.parquet").read_bytes() == before


def test_own_relations_beside_the_corpus(profile, tmp_path):
    path = treebank(tmp_path / "gum.conllu")
    table = tmp_path / "own.tsv"
    rows = [f"s{document}-0\t4\t2\tagent" for document in range(6)]
    table.write_text("sent_id\tfrom\tto\tlabel\n" + "\n".join(rows) + "\n", encoding="utf-8")
    done, frame = profile(path, options=["--annotate", table])
    assert done.code == 0, done.err
    assert set(frame("relations").query("relation == 'user:agent'")["n"]) == {6}
    done, _ = profile(
        gap(tmp_path / "gap.tsv", offset="8"), options=["--annotate", table], name="other"
    )
    assert (done.code, done.out) == (2, "")
    assert done.err.count("inspector: ") == 1


def test_broken_brackets_cost_themselves_alone(profile, tmp_path):
    path = treebank(tmp_path / "gum.conllu")
    lines = path.read_text(encoding="utf-8").split("\n")
    number = next(i for i, line in enumerate(lines) if "Entity=0)" in line)
    lines[number] = lines[number].replace("Entity=0)", "Entity=0)0)")
    path.write_text("\n".join(lines), encoding="utf-8")
    done, frame = profile(path)
    assert done.code == 0, done.err
    assert "left out: 1 mentions that cannot be read" in done.out
    reason = "entity 0 is closed at word 2 and is not open: it was closed twice, or never opened"
    assert frame("skipped").values.tolist() == [[str(path), number + 1, "s0-0", reason]]
    said = f"why and where: skipped.parquet; the first: {path}, line {number + 1}, s0-0: {reason}"
    assert said in " ".join(done.out.split())
    assert frame("totals").set_index("what")["count"]["mentions that cannot be read"] == 1
    assert set(frame("relations").query("relation == 'coref:pronoun'")["n"]) == {12}
    done, _ = profile(path, options=["--strict"], name="strict")
    assert (done.code, done.out) == (2, "")
    assert done.err.endswith(
        f"inspector: mention in sentence (s0-0) of {path}, line {number + 1}, is malformed: "
        f"{reason}. Fix it, or read without strict (--strict) to leave it out.\n"
    )


OVER = [
    "a mention of entity 0 opens at word 1 and is not closed where the sentence ends",
    "entity 0 is closed at word 2 and is not open: it was closed twice, or never opened",
]
CROSSES = ["the mention of entity 0 at words 1-3 crosses that of entity 7: brackets must be nested"]


@pytest.mark.parametrize(
    ("changes", "reasons"),
    [
        ({"2\tdog": "_", "2\tcould": "Entity=0)"}, OVER),
        (
            {"2\tdog": "Entity=(7-x-new-s-cf1-1-sgl", "3\thad": "Entity=0)", "5\tand": "Entity=7)"},
            CROSSES,
        ),
    ],
    ids=["a span over a sentence's end", "spans that cross"],
)
def test_what_brackets_break_is_left_out_and_the_rest_scored(profile, tmp_path, changes, reasons):
    path = treebank(tmp_path / "gum.conllu")
    lines = path.read_text(encoding="utf-8").split("\n")
    for start, cell in changes.items():
        number = next(i for i, line in enumerate(lines) if line.startswith(start))
        lines[number] = lines[number].rpartition("\t")[0] + f"\t{cell}"
    path.write_text("\n".join(lines), encoding="utf-8")
    done, frame = profile(path)
    assert done.code == 0, done.err
    assert f"left out: {len(reasons)} mentions that cannot be read" in done.out
    assert frame("skipped")["reason"].tolist() == reasons
    assert set(frame("relations").query("relation == 'coref:pronoun'")["n"]) == {11}


def test_documents_without_mentions_are_named(profile, tmp_path):
    path = treebank(tmp_path / "gum.conllu")
    first, mark, rest = path.read_text(encoding="utf-8").partition("# newdoc id = d1")
    path.write_text(first.replace("Entity=", "Other=") + mark + rest, encoding="utf-8")
    done, frame = profile(path)
    assert done.code == 0, done.err
    assert "left out: 1 documents without mentions" in done.out
    reason = "coreference: documents without mentions (1)"
    assert frame("skipped").values.tolist() == [["", 0, "d0", reason]]
    assert f"why and where: skipped.parquet; the first: d0: {reason}" in done.out
    assert set(frame("relations").query("relation == 'coref:pronoun'")["n"]) == {10}


def test_an_offset_outside_the_text_is_left_out_and_said(profile, tmp_path):
    path = gap(tmp_path / "gap.tsv", offset="99")
    done, frame = profile(path, options=["--json"])
    assert done.code == 0, done.err
    assert len(json.loads(done.out)["claims"]) == 6
    assert frame("skipped").values.tolist() == [
        [str(path), 8, "", "Pronoun-offset (99) must be a place in the text of 16 characters"]
    ]
    assert set(frame("relations")["n"]) == {6}
