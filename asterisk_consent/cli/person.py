"""Who is at the command line, for the entries that name a person."""

import os
import pwd


def person() -> str:
    """Return the login name, behind sudo the one who called it, and ``uid N`` where there is no name."""
    if os.environ.get("SUDO_USER"):
        return os.environ["SUDO_USER"]
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"
