"""Networks as ONNX graphs: written, quantised, kept and opened."""
