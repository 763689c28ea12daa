"""Files of weights, and which of their tensors fit which model."""
