"""What a policy network learns, one run in its folder, and the device it runs on."""
