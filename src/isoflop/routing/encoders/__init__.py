"""Encoders: from a prompt to the vector by which its neighbours are found.

Those of `ENCODERS` run on this machine and never use the network; `Own` wraps the user's vectors, and
`Endpoint` asks an address that the user names.
"""

from __future__ import annotations

from isoflop.routing.encoders.endpoint import Endpoint
from isoflop.routing.encoders.interface import Encoder, EncoderId
from isoflop.routing.encoders.own import Own
from isoflop.routing.encoders.registry import ENCODERS, Encoding, encode, encoder_of

__all__ = ["ENCODERS", "Encoder", "EncoderId", "Encoding", "Endpoint", "Own", "encode", "encoder_of"]
