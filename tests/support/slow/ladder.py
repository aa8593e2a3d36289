"""The ladder by its definitions: plain loops over sentences, exact fractions.

Must not know: inspector, but for the names of rules, which it reads.
"""

from fractions import Fraction
from hashlib import sha256


def is_test(document):
    return int(sha256(document.encode()).hexdigest(), 16) % 2 == 1


def pairs(sentences, relation, direction):
    """Return (sentence, asked, expected) of each pair."""
    found = []
    for number, sentence in enumerate(sentences):
        for one in sentence.relations:
            if one.label == relation:
                asked, expected = one.source, one.target
                if direction == "head_to_dependent":
                    asked, expected = expected, asked
                found.append((number, asked, expected))
    return found


def answers(relation, direction):
    """Return (asked, right) for each way in which a pair of a window can be right."""
    if direction == "head_to_dependent":
        return [(word, relation.source) for word in relation.targets]
    return [(relation.source, word) for word in relation.targets]


def outcome(ways, find):
    """Return True where any way is right, else what the first word that is asked finds."""
    return any(find(asked) == right for asked, right in ways) or find(ways[0][0])


def rule_word(tags, name, asked):
    """Return the word that a rule, as 'ADJ+NOUN:left-run', finds; None where there is none."""
    classes, _, side = name.partition(":")
    inside = [tag in classes.split("+") for tag in tags]
    left = right = None
    for word in range(asked - 1, -1, -1):
        if inside[word]:
            left = word
            break
    for word in range(asked + 1, len(tags)):
        if inside[word]:
            right = word
            break
    if side == "either":
        if left is None or right is None:
            return right if left is None else left
        return left if asked - left <= right - asked else right
    word = left if side.startswith("left") else right
    if word is None or not side.endswith("run"):
        return word
    step = -1 if side.startswith("left") else 1
    while 0 <= word + step < len(tags) and inside[word + step]:
        word += step
    return word


def position_word(length, name, asked):
    rank = {"first": 1, "last": -1}.get(name) or int(name)
    word = rank - 1 if rank > 0 else length + rank
    return word if 0 <= word < length and word != asked else None


def best_position_count(sentences, found):
    """Return how many pairs the commonest position has."""
    counted = {}
    for number, _, expected in found:
        length = len(sentences[number].words)
        for rank in (expected + 1, expected - length):
            counted[rank] = counted.get(rank, 0) + 1
    return max(counted.values())


def related(sentence, one, other):
    return any({one, other} == {pair.source, pair.target} for pair in sentence.relations)


def matched(sentence, varied, held):
    """Return the words that could stand in for the one that is varied."""
    found = []
    for word in range(len(sentence.words)):
        near = 1 <= abs(word - varied) <= 2
        same_side = (word - held) * (varied - held) > 0
        alike = sentence.upos[word] == sentence.upos[varied]
        if near and same_side and alike and not related(sentence, word, held):
            found.append(word)
    return found


def mean(values):
    return Fraction(sum(values), len(values)) if values else None


def selectivity(sentences, found, predicted, rule):
    """Return (annotated − rule's, pairs) where the rule is not at the annotated word."""
    gained = lost = n = 0
    for number, asked, expected in found:
        word = rule_word(sentences[number].upos, rule, asked)
        if word != expected:
            n += 1
            gained += predicted(number, asked) == expected
            lost += word is not None and predicted(number, asked) == word
    return Fraction(gained - lost, n) if n else None, n


def matched_source(sentences, found, predicted):
    """Return (mean paired difference, pairs that have a match)."""
    apart = []
    for number, asked, expected in found:
        others = matched(sentences[number], asked, expected)
        if others:
            share = mean([int(predicted(number, other) == expected) for other in others])
            apart.append(int(predicted(number, asked) == expected) - share)
    return (sum(apart) / len(apart) if apart else None), len(apart)


def matched_target(sentences, found, predicted):
    apart = []
    for number, asked, expected in found:
        others = matched(sentences[number], expected, asked)
        if others:
            share = mean([int(predicted(number, asked) == other) for other in others])
            apart.append(int(predicted(number, asked) == expected) - share)
    return (sum(apart) / len(apart) if apart else None), len(apart)
