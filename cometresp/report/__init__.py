"""What scripts and CI jobs read of a run: its facts in a file, and the files and lines of GitHub Actions.

ending    The files that are written at the end of a run, whatever its end: `--summary-file`, `--github`.
facts     The facts of a run, gathered while it runs.
github    The files of a step of GitHub Actions: its outputs, and its summary.
summary   The facts of a run as JSON: `--summary-file`.
workflow  The streams of a step of GitHub Actions: annotations, and text whose lines are no commands.
"""
