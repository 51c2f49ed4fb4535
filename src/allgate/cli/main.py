"""The command `allgate`: one typed function per command, each of which imports what it needs when it runs.

`allgate --version` answers before anything is imported, and `--help` without the server behind it: a command line
that thinks for a second before it prints is not used.
"""

import sys

VERSION_WORDS = (["--version"], ["-V"], ["version"])


def main() -> None:
    """The entry point of the installed command. Exit codes: 0 done, 1 failed, 2 what was asked makes no sense."""
    if sys.argv[1:] in VERSION_WORDS:
        from importlib.metadata import version

        print(f"allgate {version('allgate')}")
        return
    from allgate.cli.commands import run

    run()


if __name__ == "__main__":
    main()
