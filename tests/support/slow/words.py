"""Which word each token of a text belongs to, walked character by character.

Written apart from inspector: by the tokens' own letters, not by the offsets that a tokenizer
tells; words by the lines of CoNLL-U. Must not know: inspector.
"""

import unicodedata

UNKNOWN = "[UNK]"
# How many characters of a contraction are the first word's; all others in the data are spelled out.
CONTRACTIONS = {"im": 1, "am": 1, "zum": 2, "zur": 2, "beim": 3, "vom": 2, "ins": 2, "fürs": 3}


def slow_blocks(path, n):
    """Return (text, [(id, form)]) of the first n sentences of a file, ranges among the lines."""
    found = []
    for block in path.read_text(encoding="utf-8").split("\n\n")[:n]:
        lines = block.split("\n")
        text = next(line.split(" = ", 1)[1] for line in lines if line.startswith("# text = "))
        cells = [line.split("\t") for line in lines if line and not line.startswith("#")]
        found.append((text, [(one[0], one[1]) for one in cells if "." not in one[0]]))
    return found


def slow_holders(text, rows):
    """Return the word that holds each character of a text, None for spaces."""
    holders, at, word, held = [None] * len(text), 0, 0, 0
    forms = dict(rows)
    for number, form in rows:
        if "-" in number:
            first, last = map(int, number.split("-"))
            owners = []
            for inner in range(first, last + 1):
                owners += [inner - 1] * len(forms[str(inner)])
            if "".join(forms[str(inner)] for inner in range(first, last + 1)) != form:
                split = CONTRACTIONS[form.lower()]
                owners = [first - 1] * split + [first] * (len(form) - split)
            held = last
        elif int(number) <= held:
            word += 1
            continue
        else:
            owners = [word] * len(form)
            word += 1
        at = text.index(form, at)
        holders[at : at + len(form)] = owners
        at += len(form)
    return holders


def words_of_bytes(text, tokens, holders, byte_of):
    """Return the word of each token of a byte-level tokenizer: each letter is a byte."""
    places = [place for place, character in enumerate(text) for _ in character.encode()]
    found, at = [], 0
    for token in tokens:
        here = places[at : at + len(token)]
        assert bytes(byte_of[letter] for letter in token) == text.encode()[at : at + len(token)]
        found.append(_first(text, here, holders))
        at += len(token)
    assert at == len(places)
    return found


def words_of_marks(text, tokens, holders):
    """Return the word of each token of a tokenizer that writes ▁ for a space, and before a text."""
    spelled, found, at = f"▁{text}".replace(" ", "▁"), [], 0
    for token in tokens:
        assert spelled[at : at + len(token)] == token
        # The ▁ before the text stands where the text begins.
        here = [max(place - 1, 0) for place in range(at, at + len(token))]
        found.append(_first(text, here, holders))
        at += len(token)
    assert at == len(spelled)
    return found


def words_of_wordtoken(text, tokens, holders):
    """Return the word of each token of an uncased BERT: [UNK] is all up to a space or a sign."""
    found, at = [], 0
    for token in tokens:
        while not _bare(text[at]):
            at += 1
        found.append(holders[at])
        if token == UNKNOWN:
            alone = _alone(text[at])
            at += 1
            while not alone and at < len(text) and _bare(text[at]) and not _alone(text[at]):
                at += 1
            continue
        left = token.removeprefix("##") if at and not text[at - 1].isspace() else token
        while left:
            bare = _bare(text[at])
            assert left.startswith(bare), (left, text[at:])
            left = left[len(bare) :]
            at += 1
    assert not any(_bare(character) for character in text[at:])
    return found


def _first(text, places, holders):
    return next((holders[place] for place in places if not text[place].isspace()), None)


def _bare(character):
    """Return what an uncased BERT keeps of a character."""
    if character.isspace() or unicodedata.category(character) in ("Cc", "Cf", "Mn"):
        return ""
    parts = unicodedata.normalize("NFD", character.lower())
    return "".join(part for part in parts if unicodedata.category(part) != "Mn")


def _alone(character):
    if character.isascii():
        return character.isprintable() and not character.isalnum()
    is_han = "\u4e00" <= character <= "\u9fff" or "\u3400" <= character <= "\u4dbf"
    return is_han or unicodedata.category(character).startswith("P")
