"""Labelled sentences, their words as numbers, and word vectors."""
