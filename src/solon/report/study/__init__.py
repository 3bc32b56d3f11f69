"""The published study of Collective Constitutional AI (Huang et al. 2024), reproduced and corrected."""
