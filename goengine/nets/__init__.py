"""The shipped networks: one safetensors file and one model card (NAME.md) each."""
