"""From an archive to the batches that a network learns from."""
