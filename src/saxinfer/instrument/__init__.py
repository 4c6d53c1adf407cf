"""What an instrument makes of a curve, and how likely a measured curve is."""
