"""Positions and whole games analysed: KataGo's line-JSON protocol, and the same from Python."""
