"""What is measured on heads: weights, where they look, what they follow, their roles.

Must not know: files, engines, any user interface.

What stands here is imported when it is first asked for: what a run says of heads needs no torch.
"""

from typing import TYPE_CHECKING

from inspector.public_names import public_names

if TYPE_CHECKING:
    from inspector.heads.counts import DIRECTIONS as DIRECTIONS
    from inspector.heads.counts import RelationCounts as RelationCounts
    from inspector.heads.counts import concatenate as concatenate
    from inspector.heads.relations_frame import RELATIONS_COLUMNS as RELATIONS_COLUMNS
    from inspector.heads.relations_frame import relation_accuracies as relation_accuracies
    from inspector.heads.specialization.claims import CLAIMS_COLUMNS as CLAIMS_COLUMNS
    from inspector.heads.specialization.claims import relation_claims as relation_claims
    from inspector.heads.specialization.power import POWER_COLUMNS as POWER_COLUMNS
    from inspector.heads.specialization.power import documents_needed as documents_needed
    from inspector.heads.specialization.roles import ROLES_COLUMNS as ROLES_COLUMNS
    from inspector.heads.specialization.roles import RoleRule as RoleRule
    from inspector.heads.specialization.roles import head_roles as head_roles
    from inspector.heads.specialization.roles import role_rules as role_rules
    from inspector.heads.specialization.semantic_controls import (
        SEMANTIC_CONTROLS_COLUMNS as SEMANTIC_CONTROLS_COLUMNS,
    )
    from inspector.heads.specialization.semantic_controls import (
        semantic_controls as semantic_controls,
    )
    from inspector.heads.specialization.supported_heads import SUPPORT_COLUMNS as SUPPORT_COLUMNS
    from inspector.heads.specialization.supported_heads import supported_heads as supported_heads
    from inspector.heads.weights.low_rank_product import ThinProduct as ThinProduct
    from inspector.heads.weights.weight_statistics import (
        MODULES_WEIGHTS_COLUMNS as MODULES_WEIGHTS_COLUMNS,
    )
    from inspector.heads.weights.weight_statistics import WEIGHTS_COLUMNS as WEIGHTS_COLUMNS
    from inspector.heads.weights.weight_statistics import eigenvalues as eigenvalues
    from inspector.heads.weights.weight_statistics import (
        module_weight_statistics as module_weight_statistics,
    )
    from inspector.heads.weights.weight_statistics import singular_values as singular_values
    from inspector.heads.weights.weight_statistics import weight_statistics as weight_statistics

_MODULES = {
    "weight_statistics": "weights.weight_statistics",
    "WEIGHTS_COLUMNS": "weights.weight_statistics",
    "module_weight_statistics": "weights.weight_statistics",
    "MODULES_WEIGHTS_COLUMNS": "weights.weight_statistics",
    "singular_values": "weights.weight_statistics",
    "eigenvalues": "weights.weight_statistics",
    "ThinProduct": "weights.low_rank_product",
    "DIRECTIONS": "counts",
    "RelationCounts": "counts",
    "concatenate": "counts",
    "relation_accuracies": "relations_frame",
    "RELATIONS_COLUMNS": "relations_frame",
    "relation_claims": "specialization.claims",
    "CLAIMS_COLUMNS": "specialization.claims",
    "semantic_controls": "specialization.semantic_controls",
    "SEMANTIC_CONTROLS_COLUMNS": "specialization.semantic_controls",
    "supported_heads": "specialization.supported_heads",
    "SUPPORT_COLUMNS": "specialization.supported_heads",
    "documents_needed": "specialization.power",
    "POWER_COLUMNS": "specialization.power",
    "head_roles": "specialization.roles",
    "ROLES_COLUMNS": "specialization.roles",
    "role_rules": "specialization.roles",
    "RoleRule": "specialization.roles",
}

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

__getattr__, __dir__ = public_names(__name__, _MODULES)
