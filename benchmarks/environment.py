"""Where a figure was measured; without it a figure means nothing."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

PACKAGES: Final = ("numpy", "numba", "llvmlite", "pyzmq", "msgspec", "sortedcontainers", "hdrhistogram", "carbonbook")
MACHINE_KEYS: Final = ("cpu", "cores", "machine", "system", "governor", "memory_gib", "huge_pages")
"""What makes two machines the same for a comparison: hardware, kernel of the operating system and its settings."""
SOURCES: Final = ("engine", "replay", "gateway", "benchmarks")
_GOVERNOR: Final = "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"


def environment() -> dict[str, Any]:
    """Processor, cores, memory, governor, kernel of the operating system, versions, commit of the sources.

    Returns:
        JSON-ready. `governor` is "" where the machine does not tell (most virtual ones), `usable_cores` what this
        process may run on, `dirty` whether the sources differ from `commit`, which is "" outside a repository.
    """
    commit, dirty = _commit()
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "usable_cores": _usable_cores(),
        "memory_gib": _memory_gib(),
        "machine": platform.machine(),
        "system": f"{platform.system()} {platform.release()}",
        "governor": _first_line(_GOVERNOR),
        "huge_pages": _first_line("/sys/kernel/mm/transparent_hugepage/enabled"),
        "python": platform.python_version(),
        **{name: _version(name) for name in PACKAGES},
        "libzmq": _libzmq(),
        "commit": commit,
        "dirty": dirty,
    }


def machine_differences(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """In which respects two environments are different machines, as "cpu: A, not B"; empty for one machine."""
    return _differences(one, other, MACHINE_KEYS)


def version_differences(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """Python and packages in which two environments differ, worded alike."""
    return _differences(one, other, ("python", *(name for name in PACKAGES if name != "carbonbook"), "libzmq"))


def _differences(one: dict[str, Any], other: dict[str, Any], keys: tuple[str, ...]) -> list[str]:
    """What an older run did not record is no difference."""
    both = [key for key in keys if key in one and key in other]
    return [f"{key}: {one[key]!r}, not {other[key]!r}" for key in both if one[key] != other[key]]


def load_average() -> list[float]:
    """Processes that wanted to run over the last 1, 5 and 15 minutes; empty where the system does not say."""
    return [round(value, 2) for value in os.getloadavg()] if hasattr(os, "getloadavg") else []


def resident_bytes() -> int:
    """Memory of this process that is really present; 0 where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def waited_ns(pid: int) -> int:
    """How long all threads of a process have waited for a processor so far, in ns; -1 where the system does not say."""
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
        return sum(int((thread / "schedstat").read_text().split()[1]) for thread in threads)
    except (OSError, IndexError, ValueError):
        return -1


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next(
        (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.processor()
    )


def _usable_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _memory_gib() -> float:
    """Of the machine; 0.0 where the system does not say."""
    try:
        return round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30, 1)
    except (ValueError, OSError):
        return 0.0


def _first_line(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _libzmq() -> str:
    try:
        import zmq
    except ImportError:
        return ""
    return zmq.zmq_version()


def _commit() -> tuple[str, bool]:
    here = Path(__file__).resolve().parent.parent
    commit = _git(here, "rev-parse", "HEAD")
    return commit, bool(commit and _git(here, "status", "--porcelain", "--", *SOURCES))


def _git(here: Path, *words: str) -> str:
    try:
        ran = subprocess.run(["git", *words], cwd=here, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return ran.stdout.strip()
