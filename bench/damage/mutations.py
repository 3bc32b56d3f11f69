"""Ways in which an export arrives damaged. Each takes the files and a generator, and gives damaged files back.

A mutation that cannot be done to these files (a sign swapped in a layout without that file) gives None.
"""

from __future__ import annotations

from damage import files as whole
from damage import tables
from damage.editing import Mutation

__all__ = ["MUTATIONS", "Mutation"]

MUTATIONS: tuple[Mutation, ...] = (
    tables.fuzzed_cell,
    tables.fuzzed_cells,
    tables.other_number,
    tables.other_vote,
    tables.huge_id,
    tables.impossible_count,
    tables.missing_column,
    tables.renamed_column,
    tables.missing_header,
    tables.shuffled,
    tables.repeated_rows,
    tables.repeated_row_changed,
    tables.missing_rows,
    tables.swapped_sign,
    tables.swapped_counts,
    tables.swapped_sign_of_one,
    whole.truncated,
    whole.cut_between_rows,
    whole.wrong_encoding,
    whole.read_as_latin,
    whole.nul_bytes,
    whole.broken_quotes,
    whole.stray_bytes,
    whole.line_ends,
    whole.other_delimiter,
    whole.missing_file,
    whole.empty_file,
    whole.swapped_files,
    whole.json_value,
    whole.json_shape,
    whole.json_items,
    tables.tied_votes,
)
