"""Collective Constitutional AI (Huang et al. 2024): its way of grouping, and its study reproduced and corrected."""

from solon.collective.opinion.ccai.grouping import ccai_groups, group_all

__all__ = ["ccai_groups", "group_all"]
