"""The whole way in one command: a simulated public votes on the real site, and two models tell what its votes change.

    public -> site, over HTTP -> export -> `solon collect` -> constitution -> `solon run`, twice -> comparison -> page

The public's districts and what they think of each statement are known (`public.toml`), and so is the truth of the world
that the models speak of: whatever comes out at the other end can be held against both. Every step is a command that
anybody can type; this package only gives them in their order.
"""
