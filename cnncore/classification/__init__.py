"""Training, transfer and measurement of classifiers."""
