"""What can be chosen about the simulated phone, and the words it knows."""

from __future__ import annotations

from dataclasses import dataclass

from qlearn_core.mdp import check_integer, check_real

SHOPS = ("market", "bazaar")
DECOYS = ("clock", "mail")
WORDS = ("hat", "cup", "pot")
PATTERNS = ("plain", "striped", "solid")
MISTYPED = "xyz"  # what every mistyped word looks like


@dataclass(frozen=True)
class PhoneSettings:
    """Sizes, chances and nuisances of a phone.

    Raises ValueError for a size that the words do not allow, a chance outside [0, 1) or a
    noise outside [0, 64].
    """

    num_shops: int = 2
    num_words: int = 3
    num_patterns: int = 3
    miss: float = 0.1  # a click on something has no effect
    mistype: float = 0.05  # a typed word comes out as another
    load_failure: float = 0.1  # a page does not load
    popup: float = 0.1  # a page that loads brings a pop-up
    crash: float = 0.02  # any action in a shop ends on the home screen
    horizon: int = 15  # actions until an episode is cut off
    num_frames: int = 8  # equally likely variants of every screen: clock, advert, noise
    noise: float = 6.0  # standard deviation of the pixels, in grey levels of 255

    def __post_init__(self) -> None:
        sizes = (("num_shops", SHOPS, 1), ("num_words", WORDS, 1), ("num_patterns", PATTERNS, 2))
        for name, words, least in sizes:
            if check_integer(getattr(self, name), name, least) > len(words):
                raise ValueError(
                    f"{name} must be at most {len(words)}, but is {getattr(self, name)}"
                )
        for name in ("miss", "mistype", "load_failure", "popup", "crash"):
            check_real(getattr(self, name), name, "in [0, 1)", lambda x: 0 <= x < 1)
        check_integer(self.horizon, "horizon", 1)
        check_integer(self.num_frames, "num_frames", 1)
        check_real(self.noise, "noise", "in [0, 64]", lambda x: 0 <= x <= 64)

    @property
    def shops(self) -> tuple[str, ...]:
        return SHOPS[: self.num_shops]

    @property
    def words(self) -> tuple[str, ...]:
        return WORDS[: self.num_words]

    @property
    def patterns(self) -> tuple[str, ...]:
        return PATTERNS[: self.num_patterns]

    @property
    def icons(self) -> tuple[str, ...]:
        """What the home screen shows."""
        return self.shops + DECOYS
