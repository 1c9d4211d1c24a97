"""Pictures of `progress`: pairs of a frame and the chart that draws it."""
