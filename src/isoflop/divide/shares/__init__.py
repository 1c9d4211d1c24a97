"""How rare are academic teams among large systems, and since when?"""
