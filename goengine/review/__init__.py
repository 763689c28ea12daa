"""Whole games reviewed for people: annotated SGF, a page, a picture, and what moves cost."""
