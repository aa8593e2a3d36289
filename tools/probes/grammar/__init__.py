"""Words and phrases of English from which constructions are made, and how a tree is spelled."""
