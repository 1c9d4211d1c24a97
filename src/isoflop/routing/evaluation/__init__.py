"""How well each way of choosing a model does on tasks that it has not seen."""
