"""Settings of the config file.

document      Changes of one setting in the text of a TOML file, which keep all the rest of it.
editing       The same in the file itself: locked, written whole, its mode and links kept.
key_command   The key that a command prints.
"""
