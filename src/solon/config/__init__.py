"""The run file: one small typed section per stage. Shipped run files are in `configs/`.

Every default names its source: a paper section (CAI = arXiv 2212.08073, RLHF-22 = arXiv 2204.05862), "measured" (see
docs/log.md) or "assumption". Defaults suit models of about a billion parameters and data of your own; what the embedded
model and its world need is in `configs/world.toml`.

    section     what all sections are, and how their keys are marked
    paths       what may stand where a key is a path
    engines     what can run a model, and the settings that one engine alone has
    models, prompts, sampling, feedback, training    the other sections
    run         all of them together
    rules       what they may not say at once
    keys        which keys there are, and which was probably meant
    files       run files: read with those that they extend, and written
    layers      file, flags and `--set`, one upon the other
    validate    from their values to a config, or every fault
    load        all of that, in order
"""
