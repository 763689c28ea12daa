"""The error of data that cannot be used; imports nothing, for processes that do without torch."""


class DataError(ValueError):
    """Data that is missing, damaged, or not what the model or the run needs."""
