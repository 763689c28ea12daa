"""A second, slow Go: sets and flood fill, written from the definitions alone.

The oracle shares nothing with the product: it has its own colours, coordinates, rules, eyes,
ladders and planes. It is for tests only, so it prefers the words of the definition to speed.
"""
