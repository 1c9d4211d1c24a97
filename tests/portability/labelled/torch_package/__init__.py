from .layers import FeedForward, SelfAttention
from .model import Encoder, build

__all__ = ["Encoder", "FeedForward", "SelfAttention", "build"]
