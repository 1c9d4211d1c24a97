"""Own recipes: which function, with which inputs, as plain text that every framework's provider reads.

A recipe is one call of the public interface, written down in the framework's own words, in which makers
stand for inputs: ``x(8, 16)`` is an array of the item's dtype, ``index(4, below=8)`` holds whole numbers.
Makers give the same numbers on every computer. The module ``book`` says how a recipe is written, ``inputs``
lists the makers, ``rebuild`` the forms in which factorisations are compared.
"""
