"""Votes and consensus of one statement or idea, as records and in words."""

from __future__ import annotations

from solon.collective.opinion.consensus import Consensus
from solon.collective.principles.trace import Figures, GroupVotes, number


def figures_of(consensus: Consensus, at: int) -> Figures:
    """Of the statement at position `at`."""
    return Figures(
        geometric_mean=number(consensus.geometric_S[at]),
        product=number(consensus.product_S[at]),
        product_low=number(consensus.product_low_S[at]),
        product_high=number(consensus.product_high_S[at]),
        groups=tuple(
            GroupVotes(
                group=name,
                agrees=int(consensus.agrees_KS[label, at]),
                disagrees=int(consensus.disagrees_KS[label, at]),
                votes=int(consensus.votes_KS[label, at]),
                consensus=number(consensus.groups_KS[label, at]),
                low=number(consensus.low_KS[label, at]),
                high=number(consensus.high_KS[label, at]),
            )
            for label, name in enumerate(consensus.names)
        ),
    )


def in_words(figures: Figures) -> str:
    """On one line, for the `source` of a principle.

    `agree: group 0 58 of 60 (95% interval 0.89 to 0.99), group 1 ...; consensus 0.88 per group (product 0.78, 95%
    interval 0.70 to 0.85)`
    """
    groups = [
        f"group {one.group} {one.agrees} of {one.votes}"
        + (f" (95% interval {one.low:.2f} to {one.high:.2f})" if one.low is not None and one.high is not None else "")
        for one in figures.groups
    ]
    said = f"agree: {', '.join(groups)}"
    if figures.geometric_mean is not None and figures.product is not None:
        said += f"; consensus {figures.geometric_mean:.3f} per group (product {figures.product:.3f}"
        if figures.product_low is not None and figures.product_high is not None:
            said += f", 95% interval {figures.product_low:.3f} to {figures.product_high:.3f}"
        said += ")"
    return said
