"""Training: losses and advantages, supervised finetuning, the preference model, RL."""
