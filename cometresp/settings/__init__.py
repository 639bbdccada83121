"""Settings of the config file: what they are, how they become the flags of a command line, how they are changed.

assign       NAME and VALUE of `config set`: a place in the file, and what is written there.
checks       Everything that is wrong in a file.
document     Changes of one setting in the text of a TOML file, which keep all the rest of it.
editing      The same in the file itself: locked, written whole, its mode and links kept.
fill         Give the flags of a command line that weren't typed the values of the profile and the config file.
flags        Every setting: its name, its flag, and which values it takes.
invoke       Run a command of Typer's with the settings of the config file.
key_command  The key that a command prints.
keys         Where the file keeps a key, and which text can be one.
listing      Every setting with its value and source, as it may be shown.
relations    Which flags exclude each other, and which need another one.
suggestions  Names of settings for a shell's completion.
"""
