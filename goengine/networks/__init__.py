"""The networks, composed of cnncore blocks, their files, and how they are widened."""
