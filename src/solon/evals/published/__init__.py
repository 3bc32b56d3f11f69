"""Evaluations on files that others published, a file each: what they hold, how they are scored, how sure the score is.

The files are given by path. docs/evaluations.md says what each measures, docs/formats/evaluations.md how each is read.
"""
