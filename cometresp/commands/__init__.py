"""The subcommands: one file each, named as the command is."""
