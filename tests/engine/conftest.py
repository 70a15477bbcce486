"""Every rule test runs on both engines."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable

import pytest

from engine.core import Engine, ImplementationName
from engine.venue import Venue
from tests.engine.block_floor import open_floor
from tests.engine.builders import World, plain, seee
from tests.engine.ladder import open_desk

MakeEngine = Callable[[Venue], Engine]


def kernel_exists() -> bool:
    """Whether the compiled kernel is part of this tree."""
    if importlib.util.find_spec("engine.kernel") is None:
        return False
    import engine.kernel

    return hasattr(engine.kernel, "Kernel")


@pytest.fixture(params=["reference", "kernel"])
def implementation(request: pytest.FixtureRequest) -> ImplementationName:
    if request.param == "kernel" and not kernel_exists():
        pytest.skip("this tree has no kernel")
    return request.param


@pytest.fixture
def make_world(implementation: ImplementationName) -> Callable[[Venue], World]:
    """venue -> a World without accounts or a trading day."""
    return lambda venue: World(Engine(venue, implementation))


@pytest.fixture
def make_open_world(make_world: Callable[[Venue], World]) -> Callable[..., World]:
    """venue -> a World with accounts 1 to 4 that own plenty, open on 2025-08-11."""

    def make(venue: Venue | None = None, accounts: int = 4) -> World:
        world = make_world(venue or seee())
        if world.venue.prefunded:
            world.accounts(accounts)
        if not world.venue.open_from_start:
            world.open_day(20250811)
        return world

    return make


@pytest.fixture
def book(make_world: Callable[[Venue], World]) -> World:
    """A bare price-time book: the plain preset."""
    return make_world(plain())


@pytest.fixture
def market(make_open_world: Callable[..., World]) -> World:
    """The SEEE preset, open; instrument 1 has previous close 7134, limits [6421, 7847]."""
    return make_open_world()


@pytest.fixture
def desk(make_world: Callable[[Venue], World]) -> World:
    """Firms, accounts and sessions of every sort (see ladder.open_desk)."""
    return open_desk(make_world)


@pytest.fixture
def floor(make_open_world: Callable[..., World]) -> World:
    """As `market`, blocks open too: block limits of instrument 1 [4994, 9274]."""
    return open_floor(make_open_world)
