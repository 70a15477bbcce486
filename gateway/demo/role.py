"""`python -m gateway.demo.role PLAN NAME`: one client process of the demonstration."""

from __future__ import annotations

import sys

from gateway.demo.plan import TRADERS, read_plan
from gateway.demo.talk import Talk


def main() -> int:
    plan, name = read_plan(sys.argv[1]), sys.argv[2]
    talk = Talk()
    # Imported before the order to start comes: that takes a while, and the kernel is being compiled meanwhile.
    if name in TRADERS:
        from gateway.demo.traders import run_traders

        return run_traders(plan, name, talk)
    if name == "desk":
        from gateway.demo.desk import run_desk

        return run_desk(plan, talk)
    if name == "provoker":
        from gateway.demo.provoker import run_provoker

        return run_provoker(plan, talk)
    if name == "watch":
        from gateway.demo.watch import run_watch

        return run_watch(plan, talk)
    print(f"no role {name!r}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
