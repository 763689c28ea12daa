"""Pictures of boards, as PNG by matplotlib and as SVG text."""
