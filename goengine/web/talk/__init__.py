"""Messages to and from the page, and who waits for which."""
