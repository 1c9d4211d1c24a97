from __future__ import annotations

from typing import Callable, NamedTuple

import jax
import jax.numpy as jnp
import jax.random as jr
import jax.scipy as jsp
from jax import Array


class GPParams(NamedTuple):
    log_amp: Array
    log_scale: Array
    log_noise: Array


def rbf(params: GPParams, x1: Array, x2: Array) -> Array:
    d2 = jnp.sum((x1[:, None] - x2[None]) ** 2, axis=-1)
    return jnp.exp(2 * params.log_amp - 0.5 * d2 * jnp.exp(-2 * params.log_scale))


def nll(params: GPParams, x: Array, y: Array) -> Array:
    K = rbf(params, x, x) + (jnp.exp(params.log_noise) + 1e-4) * jnp.eye(x.shape[0])
    L = jnp.linalg.cholesky(K)
    alpha = jsp.linalg.solve_triangular(L, y, lower=True)
    return 0.5 * jnp.vdot(alpha, alpha) + jnp.log(jnp.diagonal(L)).sum()


def posterior(params: GPParams, x: Array, y: Array, xs: Array) -> tuple[Array, Array]:
    K = rbf(params, x, x) + jnp.exp(params.log_noise) * jnp.eye(len(x))
    Ks = rbf(params, x, xs)
    solved = jnp.linalg.solve(K, Ks)
    mean = solved.T @ y
    cov = rbf(params, xs, xs) - Ks.T @ solved
    return mean, cov.diagonal().clip(0)


class HMCState(NamedTuple):
    position: Array
    accept: Array


def hmc(logp: Callable[[Array], Array], key: Array, init: Array, steps: int = 5, eps: float = 0.1) -> Array:
    gradient = jax.grad(logp)

    def leapfrog(carry, _):
        q, p = carry
        p = p + 0.5 * eps * gradient(q)
        q = q + eps * p
        p = p + 0.5 * eps * gradient(q)
        return (q, p), None

    def one(state: HMCState, key: Array):
        k1, k2 = jr.split(key)
        p0 = jr.normal(k1, state.position.shape)
        (q, p), _ = jax.lax.scan(leapfrog, (state.position, p0), None, length=3)
        energy = logp(q) - 0.5 * jnp.square(p).sum() - logp(state.position) + 0.5 * p0.dot(p0)
        accepted = jnp.log(jr.uniform(k2)) < energy
        position = jnp.where(accepted, q, state.position)
        return HMCState(position, accepted), position

    keys = jr.split(key, steps)
    _, samples = jax.lax.scan(one, HMCState(init, jnp.array(True)), keys)
    return samples


key = jr.PRNGKey(42)
x = jnp.linspace(-1, 1, 8).reshape(-1, 1)
y = jnp.sin(3 * x).ravel() + 0.1 * jr.normal(key, (8,))
params = GPParams(jnp.zeros(()), jnp.array(0.0), jnp.log(0.1))
gradients = jax.grad(nll)(params, x, y)
params = jax.tree.map(lambda p, g: p - 0.01 * g, params, gradients)
mean, var = posterior(params, x, y, jnp.array([[0.3], [0.5]]))
samples = hmc(lambda q: -0.5 * jnp.sum(q ** 2), jr.fold_in(key, 1), jnp.ones(2))
print(mean.round(2), var.min(), samples.shape, jnp.isfinite(samples).all(), samples.std(axis=0))
perm = jr.permutation(key, 5)
choice = jr.choice(key, jnp.arange(5), shape=(2,), replace=False)
gumbel = jr.gumbel(key, (3,)) + jr.exponential(key, (3,))
cat = jr.categorical(key, jnp.log(jnp.array([0.2, 0.8])))
print(perm, choice.tolist(), gumbel.argmax(), cat, jr.bernoulli(key, 0.3).astype(jnp.float32))
hist, edges = jnp.histogram(samples.flatten(), bins=4)
print(hist, jnp.median(edges), jnp.percentile(edges, 30), jnp.unique(jnp.array([1, 1, 2])).size)
