"""Run the chapters and keep in git what belongs there: ``python -m qlearn_book.notebooks [FILE...]``.

Every chapter is executed in static mode.  The outputs that stay are the text outputs of cells
marked ``# NBVAL_CHECK_OUTPUT``, which nbval compares in the tests; figures, widget state, counters
and machine-dependent metadata go.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

BOOK = Path(__file__).resolve().parent.parent / "book"
CHECKED = "NBVAL_CHECK_OUTPUT"


def tidy(notebook: nbformat.NotebookNode) -> None:
    """Strip a notebook, in place, to what is stored in git."""
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
    )
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number:02d}"
        cell.metadata = nbformat.from_dict({"tags": cell.metadata.tags} if cell.metadata.get("tags") else {})
        cell.pop("attachments", None)
        if cell.cell_type == "code":
            cell.outputs = [_text(o) for o in cell.outputs if CHECKED in cell.source and _is_text(o)]
            # nbval takes a cell without a number for one that never ran
            cell.execution_count = 1 if cell.outputs else None


def _is_text(output: nbformat.NotebookNode) -> bool:
    return output.output_type == "stream" or "text/plain" in output.get("data", {})


def _text(output: nbformat.NotebookNode) -> nbformat.NotebookNode:
    if output.output_type == "stream":
        return output
    output.data = nbformat.from_dict({"text/plain": output.data["text/plain"]})
    output.metadata = nbformat.from_dict({})
    if "execution_count" in output:
        output.execution_count = 1
    return output


def main(files: list[str]) -> None:
    os.environ["QLEARN_BOOK_MODE"] = "static"
    for path in [Path(file) for file in files] or sorted(BOOK.glob("*.ipynb")):
        print(f"running {path.name} ...", flush=True)
        notebook = nbformat.read(path, as_version=4)
        NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(path.parent)}}).execute()
        tidy(notebook)
        nbformat.write(notebook, path)


if __name__ == "__main__":
    main(sys.argv[1:])
