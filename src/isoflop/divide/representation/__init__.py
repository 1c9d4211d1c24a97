"""How often a team works on a topic, against how often it works at all."""
