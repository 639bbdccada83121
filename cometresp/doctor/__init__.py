"""`cometresp doctor`: what is set, what is there, what works.

facts     A fact, a section of them, and what is wrong.
local     The versions, the files, the server as it is set: nothing is sent.
probe     What the server takes, found out by one request each.
streams   What is known of the terminal.
"""
