"""Files, folders, devices, processes and signals: what the other rooms ask of the machine."""
