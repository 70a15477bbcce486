"""Saved runs: what a benchmark printed as JSON, once or several times, under a name; and the figures in it."""

from __future__ import annotations

import json
import re
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

FORMAT: Final = 1
FOLDER: Final = Path("build/bench")
"""Where runs are saved by name."""
NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
Better = Literal["more", "less"]
_APART: Final = {
    *("plan", "environment", "load_average", "targets", "format", "schema_version", "made", "seconds", "benchmark"),
    *("mix", "sustained"),
}
"""Parts of a run that hold no figures to be compared."""
_MORE: Final = re.compile(r"(.*_)?per_second|knee")
_LESS: Final = re.compile(r"p50|p99|(quiet_)?ratio|nanoseconds_median|bytes_per_\w+")
_EACH: Final = ("_rounds", "_runs")
"""A list under a key that ends so holds the single values behind the key without it."""


class SavedError(Exception):
    """There is no such run, or the file holds none."""


@dataclass(frozen=True)
class Figure:
    """Independent values of one figure, and whether more of it is better."""

    values: tuple[float, ...]
    better: Better

    @property
    def median(self) -> float:
        return statistics.median(self.values)


@dataclass(frozen=True)
class Saved:
    """Runs of one benchmark on one machine and commit."""

    name: str
    benchmark: str
    runs: tuple[dict[str, Any], ...]

    @property
    def environment(self) -> dict[str, Any]:
        return dict(self.runs[0].get("environment", {}))

    @property
    def commit(self) -> str:
        """As recorded, without the mark of changed sources that older runs put behind it; "" when not known."""
        return str(self.environment.get("commit", "")).rstrip("+")

    @property
    def dirty(self) -> bool:
        return bool(self.environment.get("dirty")) or str(self.environment.get("commit", "")).endswith("+")

    @property
    def load(self) -> list[float]:
        """One-minute load averages before and after each run, in their order."""
        loads = [run.get("load_average", {}) for run in self.runs]
        return [each[when][0] for each in loads for when in ("before", "after") if each.get(when)]

    def figures(self) -> dict[str, Figure]:
        """By name. With several runs one value each, their median; with one run the values inside it."""
        found: dict[str, list[tuple[list[float], Better]]] = {}
        for run in self.runs:
            for name, values, better in _figures(run, ()):
                found.setdefault(name, []).append((values, better))
        return {
            name: Figure(
                tuple(statistics.median(values) for values, _ in each) if len(self.runs) > 1 else tuple(each[0][0]),
                each[0][1],
            )
            for name, each in found.items()
        }


def _figures(found: dict[str, Any], path: tuple[str, ...]) -> Iterator[tuple[str, list[float], Better]]:
    for key, value in found.items():
        if isinstance(value, dict):
            if not (not path and key in _APART):
                yield from _figures(value, (*path, key))
        elif isinstance(value, int | float) and not isinstance(value, bool):
            better = _better(key, path)
            if better:
                each = [values for end in _EACH if isinstance(values := found.get(f"{key}{end}"), list)]
                if key == "median":
                    each, words = [found["runs"]], path
                else:
                    words = (*path, key)
                yield " / ".join(words), [float(one) for one in (each[0] if each else [value])], better


def _better(key: str, path: tuple[str, ...]) -> Better | None:
    """Whether more or less of a figure is better; None when it is none."""
    if key.startswith("echo_"):
        return None  # of the machine, not of the exchange; `floors` has it
    if _MORE.fullmatch(key) or (key == "median" and any(_MORE.fullmatch(part) for part in path)):
        return "more"
    return "less" if _LESS.fullmatch(key) else None


def save(name: str, runs: list[dict[str, Any]], folder: Path = FOLDER) -> Path:
    """Write runs of one benchmark under a name; returns the file. Raises SavedError, OSError."""
    if not NAME.fullmatch(name):
        raise SavedError(f"{name!r} is no name: letters, digits, dots, dashes and underlines, 64 at most")
    kinds = {kind_of(run) for run in runs}
    if len(kinds) != 1:
        raise SavedError(f"runs of one benchmark belong together, not of {' and '.join(sorted(kinds))}")
    path = folder / f"{name}.json"
    folder.mkdir(parents=True, exist_ok=True)
    whole = {
        "format": FORMAT,
        "name": name,
        "benchmark": kinds.pop(),
        "saved": datetime.now(UTC).isoformat(timespec="seconds"),
        "runs": runs,
    }
    path.write_text(json.dumps(whole, indent=2) + "\n", "utf-8")
    return path


def load(name: str, folder: Path = FOLDER) -> Saved:
    """A saved run by name, or any file that a benchmark wrote. Raises SavedError."""
    path = Path(name) if Path(name).is_file() else folder / f"{name}.json"
    try:
        found = json.loads(path.read_text("utf-8"))
    except OSError:
        known = ", ".join(sorted(each.stem for each in folder.glob("*.json"))) or "none"
        raise SavedError(f"no saved run {name!r} in {folder}, and no such file; saved: {known}") from None
    except ValueError as error:
        raise SavedError(f"{path}: no JSON ({error})") from None
    runs = found.get("runs") if isinstance(found, dict) and "saved" in found else [found]
    if (
        not isinstance(runs, list)
        or not runs
        or not all(isinstance(run, dict) and "environment" in run for run in runs)
    ):
        raise SavedError(f"{path}: holds no run of a benchmark")
    return Saved(path.stem, kind_of(runs[0]), tuple(runs))


def kind_of(run: dict[str, Any]) -> str:
    """Which benchmark a run is of."""
    return str(run.get("benchmark") or ("engine" if "growth_resting" in run else "unknown"))
