"""Progress without a law of loss: stitched scores and the trend of capability."""
