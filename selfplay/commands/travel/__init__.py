"""The commands for a machine that is lent, and for what travels to it and back."""
