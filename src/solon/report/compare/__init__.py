"""Two finished runs side by side: what they were made from, their figures, and which differences are no noise."""
