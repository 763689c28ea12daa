"""The one training loop, its optimisers, and the folder of a run."""
