"""The public report: what a conversation found, in one HTML file for people who are not engineers.

gather.py      reads everything it is made from
inputs.py      what that is
tally.py       who voted how, with small numbers withheld
words.py       numbers and dates as people say them
short.py       the whole in a few sentences
people.py      who came and how far they went
population.py  those who came beside those who were meant to
opinions.py    what most agree on, what divides, what each group is known by
bars.py        a statement's votes as a bar
map.py         the map of opinion
places.py      the same as a table and in words
removed.py     what was removed, and why
traced.py      from each principle back to statements and votes
sureness.py    how stable the groups are
standing.py    text that is the same for every conversation
download.py    the table of statements as a CSV file inside the page
page.py        the page
"""
