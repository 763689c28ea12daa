"""A board in the browser: one table that all tabs share, and the server that keeps it."""
