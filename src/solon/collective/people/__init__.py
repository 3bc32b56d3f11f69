"""Who took part, against the population that was meant to: quotas, weights, estimates, and small counts hidden."""
