"""Who makes foundation models, who opens weights, and on whose models do academic teams build?"""
