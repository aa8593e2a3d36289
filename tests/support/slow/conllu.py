"""The slow reference: CoNLL-U by splitting lines, for files that are known to be well formed."""


def slow_sentences(path):
    """Return (document, id, words, tags, [(label, dependent, head)]) of each sentence."""
    sentences, document = [], None
    for block in path.read_text(encoding="utf-8").strip("\n").split("\n\n"):
        words, tags, arcs, name = [], [], [], None
        for line in block.split("\n"):
            if line.startswith("# newdoc id = "):
                document = line.split(" = ")[1]
            if line.startswith("# sent_id = "):
                name = line.split(" = ")[1]
            cells = line.split("\t")
            if len(cells) == 10 and "-" not in cells[0] and "." not in cells[0]:
                words.append(cells[1])
                tags.append(cells[3])
                arcs.append((cells[7], int(cells[0]) - 1, int(cells[6]) - 1))
        sentences.append((document, name, words, tags, arcs))
    return sentences
