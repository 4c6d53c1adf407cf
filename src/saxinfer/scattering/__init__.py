"""How a structure scatters: correlation functions, their transforms, packings."""
