"""What all tests begin with."""

import signal

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # So it is for what a shell starts in the background; the processes under test would inherit it and hear no SIGINT.
    signal.signal(signal.SIGINT, signal.default_int_handler)
