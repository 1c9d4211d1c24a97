"""Array code that takes NumPy or JAX, as libraries do."""
import numpy as np

import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike


def standardise(x, xp=np):
    return (x - xp.mean(x, axis=0)) / xp.std(x, axis=0)


def whiten(x: Array, eps: float = 1e-5) -> Array:
    x = x - x.mean(axis=0, keepdims=True)
    cov = x.T @ x / x.shape[0]
    values, vectors = jnp.linalg.eigh(cov)
    return x @ (vectors / jnp.sqrt(values + eps)) @ vectors.T


def moments(x: ArrayLike) -> dict:
    a = jnp.asarray(x)
    centred = a - a.mean()
    return {"mean": a.mean(), "var": a.var(), "skew": (centred ** 3).mean() / a.std() ** 3, "max": a.max()}


def bin_edges(a: Array, n: int):
    low, high = a.min(), a.max()
    return jnp.linspace(low, high, n + 1), jnp.searchsorted(jnp.sort(a), jnp.array([low, high]))


rng = np.random.default_rng(0)
data = rng.normal(size=(20, 3))
plain = standardise(data)
traced = standardise(jnp.array(data), xp=jnp)
white = whiten(jnp.asarray(data, dtype=jnp.float32))
print(np.allclose(plain, np.asarray(traced), atol=1e-4), jnp.cov(white, rowvar=False).round(1))
stats = moments(data[:, 0])
print({k: float(v) for k, v in stats.items()}, sorted(stats))
edges, where = bin_edges(white.ravel(), 4)
print(edges.shape, where.tolist(), jnp.digitize(white[:, 0], edges).sum())
masked = jnp.where(white > 0, white, jnp.nan)
print(jnp.nanmean(masked), jnp.isnan(masked).sum(), jnp.nan_to_num(masked).min(), jnp.count_nonzero(white > 1))
poly = jnp.polyfit(jnp.arange(4.0), jnp.array([1.0, 2.0, 3.0, 4.0]), 1)
print(jnp.polyval(poly, 2.0), jnp.interp(1.5, jnp.arange(3.0), jnp.array([0.0, 1.0, 4.0])), jnp.cross(white[0], white[1]))
outer = jnp.outer(white[0], white[1])
kron = jnp.kron(outer, jnp.eye(2))
print(jnp.trace(outer), kron.shape, jnp.triu(outer).diagonal(), jnp.diff(edges).all(), jnp.fft.fft(edges).real)
