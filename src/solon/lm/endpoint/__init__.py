"""Models on OpenAI-compatible servers: what is asked, what comes back, how often, and what it may cost.

model -> wording (what to send, what a reply says), verdicts (what it says of options), wire (sending it)
wire -> turns (how many at once), spending (tokens and money), failures (what came in the place of a reply)
"""

VERDICT = 4
"""Tokens of a sampled verdict: an option in brackets, and a mark around it."""
