"""``python -m asterisk_consent``: the command line."""

from asterisk_consent.cli import main

if __name__ == "__main__":
    main()
