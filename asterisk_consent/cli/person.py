"""Who is at the command line, for the entries that name a person."""

import os
import pwd


def behind_sudo() -> str:
    """Return the login name of who called sudo; empty where nobody did."""
    return os.environ.get("SUDO_USER", "")


def person() -> str:
    """Return the login name, behind sudo the one who called it, and ``uid N`` where there is no name."""
    if caller := behind_sudo():
        return caller
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"
