"""Collective Constitutional AI (Huang et al. 2024): its way of grouping, and its study reproduced and corrected."""
