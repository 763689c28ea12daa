"""What analysis commands are asked and the text that answers them, in each program's form."""
