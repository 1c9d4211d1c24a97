import dataclasses
from functools import partial, reduce

import jax
import jax.numpy as jnp
from jax.nn import initializers, sigmoid, tanh
from jax.tree_util import register_pytree_node_class, tree_map


@register_pytree_node_class
@dataclasses.dataclass
class GRUCell:
    w: jax.Array
    u: jax.Array
    b: jax.Array

    @classmethod
    def create(cls, key, n_in, n_hidden):
        k1, k2 = jax.random.split(key)
        init = initializers.orthogonal()
        return cls(init(k1, (n_in, 3 * n_hidden)), init(k2, (n_hidden, 3 * n_hidden)), jnp.zeros(3 * n_hidden))

    def tree_flatten(self):
        return (self.w, self.u, self.b), None

    @classmethod
    def tree_unflatten(cls, aux, children):
        return cls(*children)

    def __call__(self, h, x):
        gates = jnp.dot(x, self.w) + self.b
        r, z, n = jnp.split(gates, 3, axis=-1)
        ur, uz, un = jnp.split(h @ self.u, 3, axis=-1)
        r, z = sigmoid(r + ur), sigmoid(z + uz)
        n = tanh(n + r * un)
        h = (1 - z) * n + z * h
        return h, h


@partial(jax.jit, static_argnums=(2,))
def unroll(cell, xs, hidden):
    h0 = jnp.zeros((xs.shape[1], hidden))
    last, states = jax.lax.scan(lambda h, x: cell(h, x), h0, xs)
    return last, states.swapaxes(0, 1)


def clip_by_norm(grads, limit):
    norm = jnp.sqrt(sum(jnp.sum(jnp.square(g)) for g in jax.tree_util.tree_leaves(grads)))
    scale = jnp.minimum(1.0, limit / (norm + 1e-6))
    return tree_map(lambda g: g * scale, grads), norm


def objective(cell, xs, ys):
    last, _ = unroll(cell, xs, 4)
    logits = last.sum(axis=-1)
    losses = jnp.maximum(logits, 0) - logits * ys + jnp.log1p(jnp.exp(-jnp.abs(logits)))
    return losses.mean()


cell = GRUCell.create(jax.random.PRNGKey(0), 3, 4)
xs = jax.random.normal(jax.random.PRNGKey(1), (5, 2, 3))
ys = jnp.array([0.0, 1.0])
for _ in range(2):
    loss, grads = jax.value_and_grad(objective)(cell, xs, ys)
    grads, norm = clip_by_norm(grads, 1.0)
    cell = tree_map(lambda p, g: p - 0.1 * g, cell, grads)
    print(loss, norm)
composed = reduce(lambda f, g: lambda x: g(f(x)), [jnp.sin, jnp.cos, jnp.exp])
table = {"mean": jnp.mean, "max": jnp.max}
print(composed(0.5), table["mean"](xs), getattr(jnp, "ptp")(ys), jnp.vectorize(lambda a: a + 1)(ys))
ensemble = jax.vmap(lambda key: GRUCell.create(key, 2, 2).w)(jax.random.split(jax.random.PRNGKey(2), 3))
print(ensemble.shape, ensemble.min(axis=(1, 2)), jnp.linalg.matrix_rank(ensemble[0]), jax.default_backend())
