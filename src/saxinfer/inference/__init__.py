"""Ways from a curve to a posterior."""
