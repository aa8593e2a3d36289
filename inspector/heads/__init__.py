"""What is measured on heads: weights, where they look, what they follow, their roles.

Must not know: files, engines, any user interface.
"""

from inspector.heads.counts import DIRECTIONS, RelationCounts, concatenate
from inspector.heads.relations_frame import RELATIONS_COLUMNS, relation_accuracies
from inspector.heads.specialization.claims import CLAIMS_COLUMNS, relation_claims
from inspector.heads.specialization.power import POWER_COLUMNS, documents_needed
from inspector.heads.specialization.roles import ROLES_COLUMNS, RoleRule, head_roles, role_rules
from inspector.heads.specialization.semantic_controls import (
    SEMANTIC_CONTROLS_COLUMNS,
    semantic_controls,
)
from inspector.heads.specialization.supported_heads import SUPPORT_COLUMNS, supported_heads
from inspector.heads.weights.low_rank_product import ThinProduct
from inspector.heads.weights.weight_statistics import (
    MODULES_WEIGHTS_COLUMNS,
    WEIGHTS_COLUMNS,
    eigenvalues,
    module_weight_statistics,
    singular_values,
    weight_statistics,
)

__all__ = [
    "weight_statistics",
    "WEIGHTS_COLUMNS",
    "module_weight_statistics",
    "MODULES_WEIGHTS_COLUMNS",
    "singular_values",
    "eigenvalues",
    "ThinProduct",
    "DIRECTIONS",
    "RelationCounts",
    "concatenate",
    "relation_accuracies",
    "RELATIONS_COLUMNS",
    "relation_claims",
    "CLAIMS_COLUMNS",
    "semantic_controls",
    "SEMANTIC_CONTROLS_COLUMNS",
    "supported_heads",
    "SUPPORT_COLUMNS",
    "documents_needed",
    "POWER_COLUMNS",
    "head_roles",
    "ROLES_COLUMNS",
    "role_rules",
    "RoleRule",
]
