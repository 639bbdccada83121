"""The entry point. `--version` alone is answered before Typer is loaded: scripts ask for it before every run."""

import sys


def main() -> None:
    if sys.argv[1:] in (["--version"], ["-V"]):
        import os

        from cometresp import __version__

        try:
            os.write(1, f"cometresp {__version__}\n".encode())
        except OSError as error:
            sys.exit(141 if isinstance(error, BrokenPipeError) else 73)
        sys.exit()
    import gc
    import signal

    # Until there is someone to tell it properly, an interrupt just ends the program: no traceback of an import.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    gc.disable()  # what is imported stays: looking for garbage in it would cost a twentieth of the start
    from cometresp.cli import main as run

    run()


if __name__ == "__main__":
    main()
