"""What is read off a measured curve before any model is asked."""
