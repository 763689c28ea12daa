"""Who won: counting, the status of stones by playouts, and how dead stones are captured."""
