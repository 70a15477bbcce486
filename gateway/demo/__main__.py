"""`python -m gateway.demo` is `carbonbook demo`."""

from gateway.demo.cli import demo

if __name__ == "__main__":
    demo()
