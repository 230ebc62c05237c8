"""What is done of a long computation, kept on disk every few seconds.

A run that is interrupted, killed or out of disk goes on where it was.  The file is a row of blocks,
each with its length and its SHA-256.  A block that was cut off or damaged ends what is read, so
that nothing but whole results ever counts; it is overwritten by the next one.
"""

from __future__ import annotations

import hashlib
import pickle
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

EVERY = 5.0  # seconds of computing that an interruption can cost
DIGEST = hashlib.sha256().digest_size


class Partial:
    """A pure function of slider values that remembers across runs what it has computed.

    function  called with keywords, at values that it has not been called at
    file      where its results are kept
    key       of the code and the settings: what another key has kept counts as nothing
    seconds   that computing has taken, earlier runs included
    """

    def __init__(self, function: Callable[..., Any], file: Path, key: str) -> None:
        self.function, self.file, self.key = function, file, key
        self.known: dict[tuple, Any] = {}
        self.fresh: dict[tuple, Any] = {}  # not on disk yet
        self.seconds = 0.0
        self.kept = 0.0  # the value of `seconds` that is on disk
        self.end = 0  # of what is good in the file
        self._read()

    def __call__(self, **values: Any) -> Any:
        point = tuple(values.items())
        if point not in self.known:
            began = time.perf_counter()
            self.known[point] = self.fresh[point] = self.function(**values)
            self.seconds += time.perf_counter() - began
            if self.seconds - self.kept > EVERY:
                self._keep()
        return self.known[point]

    def _keep(self) -> None:
        body = zlib.compress(pickle.dumps((self.key, self.seconds, self.fresh)), 1)
        block = len(body).to_bytes(8, "big") + hashlib.sha256(body).digest() + body
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.file.touch()
        with open(self.file, "r+b") as file:
            file.seek(self.end)
            file.write(block)
            file.truncate()
        self.end += len(block)
        self.kept, self.fresh = self.seconds, {}

    def _read(self) -> None:
        content = self.file.read_bytes() if self.file.is_file() else b""
        while True:
            start = self.end + 8 + DIGEST
            body = content[start : start + int.from_bytes(content[self.end : self.end + 8], "big")]
            if hashlib.sha256(body).digest() != content[self.end + 8 : start]:
                return
            key, seconds, results = pickle.loads(zlib.decompress(body))
            if key != self.key:
                return
            self.known |= results
            self.seconds = self.kept = seconds
            self.end = start + len(body)
