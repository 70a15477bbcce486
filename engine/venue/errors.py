"""The one error of venue files."""


class VenueError(ValueError):
    """A venue file that cannot be used: the message names the file, the key and what to write instead."""
