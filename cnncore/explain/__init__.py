"""What a network sees: activations, deconvnet, occlusion, and what excites a unit most."""
