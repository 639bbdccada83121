"""The entry point. `--version` alone is answered without loading Typer: scripts may call it before every run."""

import _signal  # type: ignore[import-not-found] # `signal` itself would load enum
import os
import sys


def _end_silently() -> None:
    """Until cli.run handles signals, nothing is to be put in order: they end the program without a traceback."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"):
        number = getattr(_signal, name, None)
        if number is not None and _signal.getsignal(number) != _signal.SIG_IGN:
            _signal.signal(number, lambda number, _: os._exit(128 + number))


_end_silently()  # already now: an interrupt may come before `main` is called


def main() -> None:
    if sys.argv[1:] in (["--version"], ["-V"], ["version"]):
        from cometresp import __version__

        try:
            os.write(1, f"cometresp {__version__}\n".encode())
        except OSError as error:
            sys.exit(141 if isinstance(error, BrokenPipeError) else 73)
        sys.exit()
    import gc

    gc.disable()  # imported code is never garbage: searching it takes a twentieth of the start-up time
    try:
        from cometresp.cli import main as run
    except Exception as error:  # noqa: BLE001 - a library is missing, or another one than was installed
        sys.exit(_print_bug(error))

    run()


def _print_bug(error: Exception) -> int:
    from cometresp.bugs import last_words, report

    try:
        bug = report(error)
        sys.stderr.write(f"cometresp: error: {bug.message}\nhint: {bug.hint}\n")
    except Exception:  # noqa: BLE001
        last_words(error)
    return 70


if __name__ == "__main__":
    main()
