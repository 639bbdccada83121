"""The API's messages as plain values. No I/O.

events   What the wire says, nothing guessed.
headers  Header names, and which headers hold secrets.
items    Questions on the JSON of items (API 6.3, 6.4).
json     JSON as plain values: reading it, and asking what it holds.
payload  A body as bytes, piece by piece, its length known before.
replies  Replies that aren't an answer: error bodies of every shape, and when to try again (API 8, 12.6).
         Pure.
"""
