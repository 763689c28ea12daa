"""The server around the table: who may ask, the routes, the port."""
