"""Opinion groups and consensus: from votes to groups, what each thinks, what all agree on, and how far to trust it."""
