"""Records as bytes: an npz file that NumPy opens, without pickle, with a checksum at its end.

The member `record.json` holds the structure, the members `0.npy`, `1.npy`, ... the numbers of
arrays, which are the same bits when they come back. Equal records give equal bytes.

In the structure, None, bool, int, str, finite floats and lists stand for themselves. Anything else
is an object with one of the keys array, scalar (of NumPy) and number (of Python), whose value is
the number of the member; tuple; dict, a list of pairs; or class, with the fields of a dataclass.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import math
import sys
import zipfile
from typing import Any

import numpy as np

STRUCTURE = "record.json"
CHECKSUM = hashlib.sha256().digest_size * 2  # it is the comment of the zip file, as hexadecimals


class Damaged(Exception):
    """These bytes are no stored record, or that of a class that is not there (any more)."""


def to_bytes(value: Any, where: str = "record") -> bytes:
    """A dataclass, an array, a number, a string, None, or tuples, lists and dicts of these.

    Raises ValueError, which names the place, for anything else.
    """
    arrays: list[np.ndarray] = []
    structure = json.dumps(_flat(value, where, arrays), allow_nan=False)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        file.writestr(zipfile.ZipInfo(STRUCTURE), structure)
        for k, array in enumerate(arrays):
            with file.open(zipfile.ZipInfo(f"{k}.npy"), "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)
    # A zip file ends with the length of its comment and the comment.
    body = content.getvalue()[:-2] + CHECKSUM.to_bytes(2, "little")
    return body + hashlib.sha256(body).hexdigest().encode()


def from_bytes(content: bytes) -> Any:
    """What `to_bytes` was given. Nothing is imported or run but the constructors of dataclasses.

    Raises Damaged if a bit is wrong, or if the class of a record is in no module that is loaded.
    """
    body, checksum = content[:-CHECKSUM], content[-CHECKSUM:]
    if hashlib.sha256(body).hexdigest().encode() != checksum:
        raise Damaged("the checksum is another one")
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        structure = json.loads(file.read(STRUCTURE))
        arrays = []
        for k in range(len(file.namelist()) - 1):
            with file.open(f"{k}.npy") as member:
                arrays.append(np.lib.format.read_array(member, allow_pickle=False))
    return _built(structure, arrays)


def _flat(value: Any, where: str, arrays: list[np.ndarray]) -> Any:
    """The structure of a value; the numbers that are not in it are appended to `arrays`."""
    kind = type(value)
    if value is None or kind in (bool, int, str) or (kind is float and math.isfinite(value)):
        return value
    form = _numeric_form(value)
    if form is not None:
        arrays.append(np.asarray(value))
        return {form: len(arrays) - 1}
    if kind in (list, tuple):
        parts = [_flat(part, f"{where}[{k}]", arrays) for k, part in enumerate(value)]
        return parts if kind is list else {"tuple": parts}
    if kind is dict:
        keys = [_flat(key, f"a key of {where}", arrays) for key in value]
        parts = [_flat(part, f"{where}[{key!r}]", arrays) for key, part in value.items()]
        return {"dict": list(zip(keys, parts, strict=True))}
    name = f"{kind.__module__}:{kind.__qualname__}"
    if _record_class(name) is kind:
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(kind)}
        flat = {field: _flat(part, f"{where}.{field}", arrays) for field, part in fields.items()}
        return {"class": name, "fields": flat}
    raise ValueError(
        f"{where} must be None, a number, a string, an array of numbers or strings, a dataclass "
        f"defined in a module, or a tuple, list or dict of these to be stored, but is a {name}"
    )


def _numeric_form(value: Any) -> str | None:
    """How a value that goes into a member of its own comes back from there."""
    if type(value) in (float, complex):
        return "number"
    if type(value) is not np.ndarray and not isinstance(value, np.generic):
        return None
    if value.dtype.hasobject:
        return None
    return "array" if type(value) is np.ndarray else "scalar"


def _built(structure: Any, arrays: list[np.ndarray]) -> Any:
    """The inverse of `_flat`."""

    def build(part: Any) -> Any:
        return _built(part, arrays)

    match structure:
        case list():
            return [build(part) for part in structure]
        case {"array": k}:
            return arrays[k]
        case {"scalar": k}:
            return arrays[k][()]
        case {"number": k}:
            return arrays[k].item()
        case {"tuple": parts}:
            return tuple(build(parts))
        case {"dict": pairs}:
            return dict(build(pairs))
        case {"class": name, "fields": fields}:
            kind = _record_class(name)
            if kind is None:
                raise Damaged(f"no module that is loaded has the dataclass {name}")
            return kind(**{field: build(part) for field, part in fields.items()})
    return structure


def _record_class(name: str) -> type | None:
    """The dataclass "module:Class" if its module is loaded and its fields make it up."""
    module, _, path = name.partition(":")
    found = sys.modules.get(module)
    for part in path.split("."):
        found = getattr(found, part, None)
    is_record = isinstance(found, type) and dataclasses.is_dataclass(found)
    return found if is_record and all(f.init for f in dataclasses.fields(found)) else None
