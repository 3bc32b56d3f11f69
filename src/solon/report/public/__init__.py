"""The public report: what a conversation found, in one HTML file for people who are not engineers.

gather.py      reads everything it is made from
inputs.py      what that is
language.py    the page's language: its texts, and numbers, shares, lists and dates as its readers write them
catalogue.py   reads the catalogues of texts, in catalogues/, and writes one to begin from
markdown.py    an organiser's description as harmless HTML
tally.py       who voted how, with small numbers withheld
people.py      how many came and how far they went
population.py  those who came beside those who were meant to
opinions.py    what most agree on, what divides, what each group is known by
bars.py        a statement's votes as a bar
map.py         the map of opinion
places.py      the same as a table and in words
removed.py     what became of statements and people
traced.py      from each principle back to statements and votes
thresholds.py  how many principles there would be at other thresholds
sureness.py    how stable the groups are
download.py    the table of statements as a CSV file inside the page
page.py        the page; words that need no arithmetic stand in templates/
"""
