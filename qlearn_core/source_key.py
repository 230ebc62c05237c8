"""Which code a function's results depend on, as a key: other code, another key.

What counts is the text of the modules that the function's module imports, directly or not, as far
as they are one's own: those of this project and those beside the function's file. Of everything
else, the versions of Python and NumPy count.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import inspect
import sys
import textwrap
from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

from .stored_records import to_bytes

ROOT = Path(__file__).resolve().parent.parent

INSTALLED = ("site-packages", "dist-packages")
DATA = (".json", ".npz")

Own = Mapping[str, Path]  # top-level module -> the folder where it lies


def modules_in(folder: Path) -> dict[str, Path]:
    """The modules and packages that lie in a folder, each with that folder."""
    names = [path.stem for path in folder.glob("*.py")]
    return dict.fromkeys(names + [path.name for path in folder.iterdir() if path.is_dir()], folder)


def source_files(*modules: str, own: Own) -> dict[str, Path]:
    """The files of one's own modules that these import, directly or not, themselves included."""
    found: dict[str, Path] = {}
    waiting = list(modules)
    while waiting:
        module = waiting.pop()
        file = _own_file(module, own)
        if file is None or module in found:
            continue
        found[module] = file
        package = module if file.name == "__init__.py" else module.rpartition(".")[0]
        waiting += imported_modules(file.read_text(encoding="utf-8"), package, own=own)
    return found


def imported_modules(source: str, package: str = "", *, own: Own) -> list[str]:
    """Names of modules that a piece of Python in `package` imports.

    `from a import b` gives a.b if that is a module of one's own, and a otherwise.
    """
    names = []
    for module, inner in _imports(source, package):
        names += [name if _own_file(name, own) else module for name in inner] or [module]
    return names


@lru_cache(maxsize=512)
def _imports(source: str, package: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Every imported module, with the dotted names that are taken from it."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [(alias.name, ()) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            relative = "." * node.level + (node.module or "")
            module = importlib.util.resolve_name(relative, package)
            found.append((module, tuple(f"{module}.{alias.name}" for alias in node.names)))
    return tuple(found)


def _own_file(module: str, own: Own) -> Path | None:
    folder = own.get(module.partition(".")[0])
    if folder is None:
        return None
    try:
        spec = importlib.util.find_spec(module)
    except ModuleNotFoundError:  # `from module import function`: module.function is no module
        return None
    if spec is None or not spec.origin:
        return None
    file = Path(spec.origin).resolve()
    return file if folder in file.parents else None


def digest(files: Mapping[str, Path], *more: str) -> str:
    """A short hash of the contents of modules (by name, sorted) and of more strings.

    The data files in the folder of a package are part of the package.
    """
    total = hashlib.sha256()
    for module in sorted(files):
        file = files[module]
        total.update(module.encode())
        total.update(file.read_bytes())
        beside = sorted(file.parent.iterdir()) if file.name == "__init__.py" else ()
        for data in (path for path in beside if path.suffix in DATA):
            total.update(data.name.encode() + data.read_bytes())
    for text in more:
        total.update(text.encode())
    return total.hexdigest()[:16]


def versions() -> str:
    """Of what computes beside one's own code."""
    return f"{sys.version_info[:2]} {version('numpy')}"


def source_key(function: Callable) -> str:
    """The key of what a function computes.

    A function of a file is known by the whole file and its imports. A function of a notebook is
    known by its own lines and those of the notebook's functions that it names, by the values that
    it names, and by the modules from which it has other names.

    Raises ValueError unless the function is a `def` at the top level of a file or a notebook:
    others carry values that are not in their text. So does a value that cannot be stored.
    """
    plain = inspect.unwrap(function)
    if not inspect.isfunction(plain) or "<" in plain.__qualname__:
        raise ValueError(
            "experiment must be a function defined by `def` at the top level of a file or a "
            f"notebook when results are kept, but is {function!r}"
        )
    module = sys.modules[plain.__module__]
    if getattr(module, "__file__", None) is None:
        own = modules_in(Path.cwd()) | {"qlearn_core": ROOT}
        text, names = _notebook(plain)
    else:
        file, package = Path(module.__file__).resolve(), module.__package__ or ""
        home = file.parents[len(package.split(".")) if package else 0]
        if home.name in INSTALLED:  # beside it lies everything that is installed
            own = {package.partition(".")[0]: home}
        else:
            own = modules_in(home)
        own |= {"qlearn_core": ROOT}
        text = file.read_text(encoding="utf-8")
        names = imported_modules(text, package, own=own)
    name = f"{plain.__module__}.{plain.__qualname__}"
    return digest(source_files(*names, own=own), text, name, versions())


def _notebook(function: Callable) -> tuple[str, list[str]]:
    """The lines and values of a notebook that a function consists of, and the modules it uses."""
    home = function.__module__
    texts: dict[str, str] = {}
    modules = []
    waiting: list[Callable] = [function]
    while waiting:
        code = waiting.pop()
        if code.__name__ in texts:
            continue
        texts[code.__name__] = _lines(code)
        for node in ast.walk(ast.parse(texts[code.__name__])):
            name = node.id if isinstance(node, ast.Name) else None
            if name in texts or name not in code.__globals__:
                continue
            value = inspect.unwrap(code.__globals__[name])
            if inspect.ismodule(value):
                modules.append(value.__name__)
            elif callable(value) and value.__module__ != home:
                modules.append(value.__module__)
            elif inspect.isclass(value):
                texts[name] = str(inspect.signature(value))
            elif inspect.isfunction(value):
                waiting.append(value)
            else:
                texts[name] = to_bytes(value, where=f"{name}, which experiment uses,").hex()
    return str(sorted(texts.items())), modules


def _lines(function: Callable) -> str:
    try:
        return textwrap.dedent(inspect.getsource(function))
    except OSError as error:
        raise ValueError(
            "experiment must have lines that can be read when results are kept, but those of "
            f"{function.__name__} cannot: define it in a file"
        ) from error
