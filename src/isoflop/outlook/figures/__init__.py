"""Pictures of the outlook: each a frame, and a chart that draws that frame and nothing else."""
