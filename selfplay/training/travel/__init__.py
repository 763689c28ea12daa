"""What travels to a lent machine and back: archives in one file, runs in a few."""
