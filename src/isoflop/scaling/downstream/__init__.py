"""From training runs to task accuracy in two steps: scale to loss, loss to accuracy."""
