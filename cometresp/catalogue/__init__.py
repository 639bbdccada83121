"""The models that a server has and what they cost, kept for a day.

cache    The cached catalogues: one file for each base URL, in the user's cache directory.
price    What a model costs, as a list price.
prices   The price of a model by its name, from the cache alone.
"""
