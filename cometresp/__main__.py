"""The entry point. `--version` alone is answered before Typer is loaded: scripts ask for it before every run."""

import sys


def main() -> None:
    if sys.argv[1:] in (["--version"], ["-V"]):
        from cometresp import __version__

        sys.stdout.write(f"cometresp {__version__}\n")
        sys.exit()
    import gc

    gc.disable()  # what is imported stays: looking for garbage in it would cost a twentieth of the start
    from cometresp.cli import main as run

    run()


if __name__ == "__main__":
    main()
