"""Records as files: the same bits come back, NumPy opens them, and damage is noticed."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from dataclasses import dataclass, field, fields

import numpy as np
import pytest

from qlearn_core import chain
from qlearn_core.experiments import depth
from qlearn_core.stored_records import Damaged, from_bytes, to_bytes


@dataclass(frozen=True)
class Inner:
    name: str
    values: np.ndarray


@dataclass(frozen=True)
class Outer:
    inner: Inner
    parts: tuple
    by_method: dict[str, np.ndarray]


@dataclass(frozen=True)
class Derived:
    total: int = field(init=False)


def assert_same(a, b):
    """The same types, shapes, memory orders and bits, all the way down."""
    assert type(a) is type(b)
    if isinstance(a, np.ndarray | np.generic):
        assert a.dtype == b.dtype and a.shape == b.shape
        assert a.tobytes(order="A") == b.tobytes(order="A")
        assert np.isfortran(a) == np.isfortran(b)
    elif isinstance(a, float):
        assert struct.pack("d", a) == struct.pack("d", b)
    elif isinstance(a, list | tuple):
        assert len(a) == len(b)
        for one, other in zip(a, b, strict=True):
            assert_same(one, other)
    elif isinstance(a, dict):
        assert_same(list(a.items()), list(b.items()))
    elif hasattr(a, "__dataclass_fields__"):
        for one in fields(a):
            assert_same(getattr(a, one.name), getattr(b, one.name))
    else:
        assert a == b


NEGATIVE_NAN = struct.unpack("d", struct.pack("Q", 0xFFF8_0000_0000_0001))[0]
VALUES = [
    None, True, 0, -7, 2**80, "", "γ 0.9 \ud800", 0.1, -0.0, 5e-324, 1e308,
    float("inf"), -float("inf"), float("nan"), NEGATIVE_NAN, 1 + 2j,
    np.float64(0.1), np.float32(np.nan), np.int8(3), np.bool_(True), np.str_("a"),
    (), [], {}, (1, [2.0, (None,)]), {"a": (1,), 2: {"b": None}, (1, 2): 0.5},
    np.zeros(()), np.zeros((0, 3)), np.array([np.nan, -np.inf, -0.0, NEGATIVE_NAN]),
    np.asfortranarray(np.arange(6.0).reshape(2, 3)), np.arange(10)[::3],
    np.array(["γ", "alpha"]), np.array([True, False]), np.array([1, 2], dtype=">i2"),
    Outer(Inner("x", np.arange(3)), (Inner("y", np.ones(2)), 1.5), {"q": np.zeros(1)}),
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_what_is_stored_comes_back_in_the_same_bits(value):
    assert_same(from_bytes(to_bytes(value)), value)


def test_the_record_of_an_experiment_comes_back():
    record = depth.front(depth=3, alpha=0.1, period=5, copies=2, seed=1)
    back = from_bytes(to_bytes(record))
    assert_same(back, record)
    assert isinstance(back, depth.Front)


def test_a_validated_record_is_validated_again():
    mdp = chain(3, slip=0.1)
    back = from_bytes(to_bytes(mdp))
    assert_same(back, mdp)
    assert not back.P.flags.writeable


def test_equal_records_give_equal_bytes_and_different_ones_different_bytes():
    assert to_bytes(VALUES) == to_bytes(list(VALUES))
    different = (1, 1.0, True, "1", np.float64(1), np.int64(1), np.ones(()), [1], (1,))
    assert len({to_bytes(value) for value in different}) == len(different)


def test_numpy_and_json_read_the_file_without_this_package(tmp_path):
    (tmp_path / "a.npz").write_bytes(to_bytes(Inner("x", np.arange(3))))
    with np.load(tmp_path / "a.npz", allow_pickle=False) as file:
        structure = json.loads(file["record.json"])
        k = structure["fields"]["values"]["array"]
        assert structure["fields"]["name"] == "x"
        np.testing.assert_array_equal(file[str(k)], np.arange(3))
    with zipfile.ZipFile(tmp_path / "a.npz") as file:
        assert file.testzip() is None


def test_one_wrong_bit_anywhere_is_noticed():
    content = to_bytes(Inner("x", np.arange(3)))
    for position in range(len(content)):
        wrong = bytearray(content)
        wrong[position] ^= 1
        with pytest.raises(Damaged):
            from_bytes(bytes(wrong))


def test_a_file_that_was_cut_off_is_noticed():
    content = to_bytes(Inner("x", np.arange(3)))
    for length in range(len(content)):
        with pytest.raises(Damaged):
            from_bytes(content[:length])


def local_class():
    @dataclass
    class Local:
        x: int

    return Local(1)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (
            Outer(Inner("x", io), (), {}),
            r"record\.inner\.values must be None, .* is a builtins:mod",
        ),
        ((1, {2: [len]}), r"record\[1\]\[2\]\[0\] must be .*:builtin_function_or_method"),
        (np.array([None]), "record must be .* numpy:ndarray"),
        (np.ma.ones(2), "record must be .* numpy.ma:MaskedArray"),
        (b"bytes", "record must be .* builtins:bytes"),
        ({len: 1}, "a key of record must be .* builtins:builtin"),
        (local_class(), "record must be .*:local_class.<locals>.Local"),
        (object.__new__(Derived), "record must be .*:Derived"),
    ],
)
def test_what_cannot_be_stored_is_named_with_its_place(value, message):
    with pytest.raises(ValueError, match=message):
        to_bytes(value)


def test_a_class_that_is_not_loaded_is_not_imported():
    content = to_bytes(Inner("x", np.arange(3)))
    body = content[:-64].replace(b"test_stored_records", b"test_nowhere_to_see")
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        assert b"test_stored_records" in file.read("record.json")
    with pytest.raises(Damaged):
        from_bytes(body + content[-64:])
