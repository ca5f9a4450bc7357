"""What the registry asks before a version is submitted or promoted."""

from __future__ import annotations

from apps.experiments.selectors.promotion import standing_of
from apps.models_registry.selectors import version_by_id


class PolicyRule:
    """Refuses what the promotion policy in force refuses; ``PE_PROMOTION_RULE``."""

    def refusals(self, version_id: str) -> list[str]:
        return [
            f"{one.rule}{f' ({one.slice})' if one.slice else ''}: {one.why}; needs "
            f"{one.needed}"
            for one in standing_of(version_by_id(version_id)).refusals
        ]

    def evidence(self, version_id: str) -> dict[str, object]:
        return standing_of(version_by_id(version_id)).as_dict()
