"""Run the chapters and keep what belongs in git: ``python -m qlearn_book.notebooks [FILE...]``.

Every chapter is executed in static mode.  The outputs that stay are the text outputs of cells
marked ``# NBVAL_CHECK_OUTPUT``, which nbval compares in the tests; figures, widget state, counters
and machine-dependent metadata go.
"""

from __future__ import annotations

import ast
import contextlib
import io
import os
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from qlearn_book.explorer import Explorer

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
        cell.metadata = nbformat.from_dict(
            {"tags": cell.metadata.tags} if cell.metadata.get("tags") else {}
        )
        cell.pop("attachments", None)
        if cell.cell_type == "code":
            cell.outputs = _texts(cell.outputs) if CHECKED in cell.source else []
            # nbval takes a cell without a number for one that never ran
            cell.execution_count = 1 if cell.outputs else None


def _texts(outputs: list[nbformat.NotebookNode]) -> list[nbformat.NotebookNode]:
    """The text outputs alone; pieces of one stream, cut where time cut them, as one."""
    kept: list[nbformat.NotebookNode] = []
    for output in outputs:
        if output.output_type == "stream":
            if kept and kept[-1].get("name") == output.name:
                kept[-1].text += output.text
            else:
                kept.append(output)
        elif "text/plain" in output.get("data", {}):
            output.data = nbformat.from_dict({"text/plain": output.data["text/plain"]})
            output.metadata = nbformat.from_dict({})
            if "execution_count" in output:
                output.execution_count = 1
            kept.append(output)
    return kept


def chapters() -> list[Path]:
    """The notebooks that hold figures, by name."""
    return [path for path in sorted(BOOK.glob("*.ipynb")) if "Explorer(" in path.read_text("utf-8")]


def explorers(path: Path) -> list[Explorer]:
    """The figures of a chapter in reading order, made in this process and not shown.

    Runs the code cells except those with compared outputs: these print, and may take seconds.
    """
    namespace: dict = {"__name__": path.stem}
    values = []
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type != "code" or CHECKED in cell.source:
            continue
        with contextlib.redirect_stdout(io.StringIO()):
            for statement in ast.parse(cell.source, filename=path.name).body:
                if isinstance(statement, ast.Expr):
                    code = compile(ast.Expression(statement.value), path.name, "eval")
                    values.append(eval(code, namespace))
                else:
                    exec(compile(ast.Module([statement], []), path.name, "exec"), namespace)
    return [value for value in values if isinstance(value, Explorer)]


def main(files: list[str]) -> None:
    os.environ["QLEARN_BOOK_MODE"] = "static"
    for path in [Path(file) for file in files] or sorted(BOOK.glob("*.ipynb")):
        print(f"running {path.name} ...", flush=True)
        notebook = nbformat.read(path, as_version=4)
        NotebookClient(
            notebook, timeout=600, resources={"metadata": {"path": str(path.parent)}}
        ).execute()
        tidy(notebook)
        nbformat.write(notebook, path)


if __name__ == "__main__":
    main(sys.argv[1:])
