"""`python -m solon` is the `solon` program: `torchrun --nproc-per-node 8 -m solon run ...` starts it eight times."""

from solon.cli.program import run

if __name__ == "__main__":
    run()
