"""Pictures: each a pair of the frame that holds every number, and the chart that draws it."""
