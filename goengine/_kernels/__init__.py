"""Compiled kernels over position records: chains, eyes, ladders, planes and playouts."""
