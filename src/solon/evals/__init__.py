"""The evidence: who reads answers, what is measured, and the statistics that the measures share.

    responses (task, model, prompt, text) -> graders -> scores, one row each -> estimates and paired differences

To add an evaluation, write a file in `graders/` with a `GRADER`: tables, charts and summary follow from the measures
on its card. `graders/oracle.py` alone knows the world. `published/` scores models on files that others published, by
commands of their own, and `elo.py` rates players by games.
"""
