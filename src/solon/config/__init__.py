"""The run file: one small typed section per stage. Shipped run files are in `configs/`.

Every default names its source: a paper section (CAI = arXiv 2212.08073, RLHF-22 = arXiv 2204.05862), "measured" (see
docs/log.md) or "assumption". Defaults suit models of about a billion parameters and data of your own; what the embedded
model and its world need is in `configs/world.toml`.

    section     what all sections are, and how their keys are marked
    paths       what may stand where a key is a path
    engines     what can run a model, and the settings of each engine
    models, prompts, sampling, feedback, training    the sections
    run         all of them together
    rules       what a run file may not say at once
    load        from a run file, options and `--set` to a config
"""
