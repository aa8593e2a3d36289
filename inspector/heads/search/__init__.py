"""Where heads act: a corpus searched for words and for what heads do there, roles on one text.

Must not know: files, engines, any user interface.
"""

from inspector.heads.search.acting_roles import ActingRole, Place, acting_roles
from inspector.heads.search.corpus_search import Found, Match, search
from inspector.heads.search.word_pattern import WordPattern

__all__ = ["ActingRole", "Found", "Match", "Place", "WordPattern", "acting_roles", "search"]
