"""What the tests of the phone share."""

from __future__ import annotations

import pytest
import torch

from qlearn_core.device import behaviour, critic, pretraining
from qlearn_core.experiments import device_bench, device_online
from tests.device.tiny import SETTINGS


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    """Networks as small as these are slower on several threads, and their bits depend on them."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def small_experiments(monkeypatch):
    """The experiments in seconds, on the tiny phone."""
    monkeypatch.setattr(device_bench, "SETTINGS", SETTINGS)
    monkeypatch.setattr(behaviour, "DEMONSTRATION_LAYOUTS", 2)
    monkeypatch.setattr(behaviour, "NUM_DEMONSTRATIONS", 20)
    monkeypatch.setattr(pretraining, "DEMONSTRATION_LAYOUTS", 2)
    for module in (behaviour, critic, pretraining):
        monkeypatch.setattr(module, "NUM_UPDATES", 3)
    caches = (
        device_bench.behaviour_policy, device_bench.encoder_named, device_bench.make_bench,
        device_online.start,
    )  # fmt: skip
    for cache in caches:
        cache.cache_clear()
    yield
    for cache in caches:
        cache.cache_clear()
