"""Who and what is taken out of a conversation before it is analysed: each removal has a rule, and is logged."""
