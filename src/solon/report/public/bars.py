"""The votes on a statement as one bar: agree, pass, disagree, and the interval of the share that agrees.

Colour is never alone: agree is solid, pass empty, disagree striped, always in this order, and the figures stand beside.
"""

from __future__ import annotations

from markupsafe import Markup

from solon.report.public.tally import Tally

PATTERNS = Markup(
    '<svg class="defs" width="0" height="0" aria-hidden="true" focusable="false"><defs>'
    '<pattern id="stripes" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect class="stripe-ground" width="6" height="6"/><rect class="stripe" width="2.6" height="6"/></pattern>'
    "</defs></svg>"
)
"""Stands once on the page, before the first bar. Not `display: none`, for then browsers drop the pattern."""


def vote_bar(tally: Tally) -> Markup:
    """Decoration beside the figures in text, as wide as its place.

    Example: 80 agree, 10 pass, 10 disagree: solid to 80%, empty to 90%, striped to 100%, whisker from 71% to 87%.
    """
    agree, passed = 100 * tally.agree.rate, 100 * tally.passed.rate
    edge = agree + passed
    bar = Markup(
        '<svg class="votes" width="100%" height="14" aria-hidden="true" focusable="false">'
        '<rect class="pass" x="0" y="1" width="100%" height="12"/>'
        '<rect class="agree" x="0" y="1" width="{:.1f}%" height="12"/>'
        '<rect class="disagree" x="{:.1f}%" y="1" width="{:.1f}%" height="12" fill="url(#stripes)"/>'
        '<line class="halo" x1="{:.1f}%" x2="{:.1f}%" y1="7" y2="7"/>'
        '<line class="whisker" x1="{:.1f}%" x2="{:.1f}%" y1="7" y2="7"/></svg>'
    )
    low, high = 100 * tally.agree.low, 100 * tally.agree.high
    return bar.format(agree, edge, max(100 - edge, 0.0), low, high, low, high)
