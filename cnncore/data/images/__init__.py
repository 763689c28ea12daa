"""Labelled images: readers, and what turns them into inputs."""
