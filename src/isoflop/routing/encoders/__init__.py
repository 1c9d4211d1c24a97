"""Encoders: from a prompt to the vector by which its neighbours are found. None of them uses the network."""

from __future__ import annotations

from isoflop.routing.encoders.interface import Encoder, EncoderId
from isoflop.routing.encoders.registry import ENCODERS, Encoding, encode, encoder_of

__all__ = ["ENCODERS", "Encoder", "EncoderId", "Encoding", "encode", "encoder_of"]
