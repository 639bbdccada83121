"""Signals while half of the text is shown."""

from tests.matrix.fault import Fault

FAULTS = [
    Fault("interrupted (Ctrl-C)", terminal=True, signal="SIGINT"),
    Fault("terminated", terminal=True, signal="SIGTERM"),
    Fault("hung up", terminal=True, signal="SIGHUP"),
    Fault("quit (Ctrl-\\)", terminal=True, signal="SIGQUIT"),
    Fault("killed", terminal=True, signal="SIGKILL"),
    Fault("stopped (Ctrl-Z) and continued", terminal=True, signal="SIGTSTP"),
]
