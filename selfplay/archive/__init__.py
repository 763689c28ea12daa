"""Games on disk: read from SGF, written, filtered and sampled."""
